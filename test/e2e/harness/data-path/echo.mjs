/** The application of a pod: answers every request with its cluster's name ($CLUSTER), on port 5000. */
import {createServer} from 'node:http';

const answer = process.env.CLUSTER ?? 'unknown';

createServer((_request, response) => {
  response.writeHead(200, {'content-type': 'text/plain', 'content-length': Buffer.byteLength(answer)});
  response.end(answer);
}).listen(5000, '0.0.0.0');
