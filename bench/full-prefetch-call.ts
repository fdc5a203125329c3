import { BrowserLikeClient } from '#walkthrough/browser-like-client.ts';

interface Service {
  readonly id: string;
  readonly prefetch: Readonly<Record<string, string>>;
}

/** An order-sign call for the sandbox's oxygen patient with every prefetch key of the service's discovery fulfilled from the sandbox's FHIR API. */
export async function fullPrefetchCall(base: string): Promise<object> {
  const browser = new BrowserLikeClient(base);
  const { users } = await browser.json<{ users: { id: string }[] }>('GET', '/ehr/ui/users');
  const userId = users[0]?.id ?? '';
  await browser.json('POST', '/ehr/ui/login', { user: userId });
  const { items } = await browser.json<{ items: { id: string; code: { code: string } }[] }>('GET', '/ehr/ui/catalog');
  const catalogId = items.find((item) => item.code.code === 'E1390')?.id;
  const patientId = 'pat-oxygen';
  const { order } = await browser.json<{ order: string }>('POST', `/ehr/ui/patients/${patientId}/orders`, { catalogId });
  const draft = await browser.json<{ id: string; resourceType: string }>('GET', `/ehr/fhir/${order}`);
  const { services } = await browser.json<{ services: Service[] }>('GET', '/cds-services');
  const service = services.find((each) => each.id === 'order-sign-crd');
  if (!service) throw new Error('discovery has no order-sign-crd');
  const prefetch: Record<string, unknown> = {};
  for (const [key, template] of Object.entries(service.prefetch)) {
    const query = template
      .replaceAll('{{context.patientId}}', patientId)
      .replaceAll('{{context.userId}}', userId)
      .replaceAll(/\{\{context\.draftOrders\.(\w+)\.id\}\}/g, (_match, type: string) => (type === draft.resourceType ? draft.id : ''));
    if (query.includes('{{') || /[?&]_id=(&|$)/.test(query)) continue;
    prefetch[key] = await browser.json('GET', `/ehr/fhir/${query}`);
  }
  return {
    hook: 'order-sign',
    hookInstance: 'HOOK-INSTANCE',
    fhirServer: `${base}/ehr/fhir`,
    context: { userId, patientId, draftOrders: { resourceType: 'Bundle', type: 'collection', entry: [{ resource: draft }] } },
    prefetch,
  };
}
