// One process in which CommonJS and ES modules use onecopy: there is one world.
const required = require('onecopy');

void import('onecopy').then((imported) => {
  required.world.isend(Uint8Array.of(7), 0, 1);
  const buffer = new Uint8Array(1);
  imported.world.recv(buffer, 0, 1);
  console.log(required.world === imported.world, required.world.size, buffer[0]);
});
