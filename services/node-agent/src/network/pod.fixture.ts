/** What a Pod of the tests runs: says by HTTP and UDP who it is, and as whom it sees the asker. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';

const [name = '', port = '8080'] = process.argv.slice(2);
createServer((request, response) =>
  response.end(`pod ${name} ${request.socket.remoteAddress?.replace('::ffff:', '')}`),
).listen(Number(port));
const udp = createSocket('udp4');
udp.on('message', (_, from) => udp.send(`pod ${name}`, from.port, from.address));
udp.bind(5353);
