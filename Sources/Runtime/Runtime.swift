// placeholder, goes away with the first file
