// free-ports.mjs COUNT: prints so many free ports of 127.0.0.1, one a line.
// free-ports.mjs --taken PORT: succeeds when something listens there already.

import { createServer } from 'node:net';

const listen = (port) =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });

if (process.argv[2] === '--taken') {
  const server = await listen(Number(process.argv[3])).catch(() => undefined);
  server?.close();
  process.exitCode = server ? 1 : 0;
} else {
  // Below the range that the kernel gives to outgoing connections, so that none of those takes a port before the program
  // that is to listen there does; the tests' own ports begin at 12000 (`integration-tests/src/ports.rs`).
  const [first, end] = [4000, 12000];
  const free = async () =>
    (await listen(first + Math.floor(Math.random() * (end - first))).catch(() => undefined)) ?? (await free());
  // All are held until the last is found, so that none is given twice.
  const servers = await Promise.all(Array.from({ length: Number(process.argv[2]) }, free));
  for (const server of servers) {
    console.log(server.address().port);
    server.close();
  }
}
