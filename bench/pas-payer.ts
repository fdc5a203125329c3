import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// A payer that approves at once and does next to nothing else: what is measured is the sender.
interface Answerable {
  readonly entry: readonly { readonly fullUrl: string; readonly resource: Readonly<Record<string, unknown>> & { readonly item?: readonly { readonly sequence: number }[] } }[];
}

const APPROVED = {
  category: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/adjudication', code: 'submitted' }] },
  extension: [{ url: 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-reviewAction', extension: [{ url: 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-reviewActionCode', valueCodeableConcept: { coding: [{ system: 'https://codesystem.x12.org/005010/306', code: 'A1' }] } }] }],
};

function approve(text: string): string {
  const { entry } = JSON.parse(text) as Answerable;
  const [claim, ...others] = entry;
  const { resource, fullUrl } = claim ?? { resource: { item: [] }, fullUrl: '' };
  const response = {
    resourceType: 'ClaimResponse', id: randomUUID(), status: 'active', type: resource['type'], use: 'preauthorization', patient: resource['patient'], created: new Date().toISOString(),
    insurer: resource['insurer'], requestor: resource['provider'], request: { reference: fullUrl }, outcome: 'complete', preAuthRef: 'AUTH1',
    item: (resource.item ?? []).map(({ sequence }) => ({ itemSequence: sequence, adjudication: [APPROVED] })),
  };
  const parties = others.filter((each) => each.resource['resourceType'] === 'Organization' || each.resource['resourceType'] === 'Patient');
  return JSON.stringify({ resourceType: 'Bundle', type: 'collection', identifier: { value: randomUUID() }, timestamp: new Date().toISOString(), entry: [{ fullUrl: `urn:uuid:${randomUUID()}`, resource: response }, ...parties] });
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString();
    response.setHeader('content-type', 'application/fhir+json');
    if (request.url?.endsWith('smart-configuration')) response.end(JSON.stringify({ token_endpoint: `${base}/token` }));
    else if (request.url === '/token') response.end(JSON.stringify({ access_token: randomUUID(), token_type: 'bearer', expires_in: 3_600 }));
    else if (request.url?.endsWith('$submit')) response.end(approve(text));
    else response.writeHead(404).end('{}');
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
process.stdout.write(`${JSON.stringify({ base })}\n`);
