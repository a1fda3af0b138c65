console.log('ESCAPED: extra');
