console.log('Hello from Sidelight');
