import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// An EHR's FHIR server that answers each read after 5 ms, with what it was given: PUT /record {path: resource}; a search is told by its type.
const LATENCY_MS = 5;
let record: Readonly<Record<string, unknown>> = {};

const server = createServer((request, response) => {
  if (request.method === 'PUT') {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      record = JSON.parse(Buffer.concat(chunks).toString()) as typeof record;
      response.end();
    });
    return;
  }
  const path = (request.url ?? '').replace('/fhir/', '').split('?')[0] ?? '';
  const found = record[path];
  setTimeout(() => response.writeHead(found ? 200 : 404, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(found ?? { resourceType: 'OperationOutcome', issue: [] })), LATENCY_MS);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ base: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`);
});
