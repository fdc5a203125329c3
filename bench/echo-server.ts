import type { AddressInfo } from 'node:net';
import express from 'express';

// The baseline: a bare express that reads the same JSON body and sends it back.
const app = express();
app.use(express.json({ limit: '2mb' }));
app.post('/echo', (request, response) => {
  response.json(request.body);
});
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ base: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`);
});
