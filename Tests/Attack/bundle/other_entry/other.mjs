console.log('signed');
