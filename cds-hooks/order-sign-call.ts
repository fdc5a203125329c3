import type { Resource } from '@medplum/fhirtypes';
import { z } from 'zod';
import { Refusal } from './refusal.ts';

/*
 * What must be so in an order-sign call (CDS Hooks 2.0 §2.2, hook order-sign). Elements that are not named here are let through unread.
 * Resources are checked as far as they are read: resourceType and id.
 */

const id = z.string().regex(/^[A-Za-z0-9\-.]{1,64}$/);
const resource = z.looseObject({ resourceType: z.string().min(1) });

const orderSignCall = z.looseObject({
  hook: z.literal('order-sign'),
  hookInstance: z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a UUID'),
  fhirServer: z.url({ protocol: /^https?$/ }).optional(),
  fhirAuthorization: z.looseObject({ access_token: z.string().min(1), token_type: z.literal('Bearer') }).optional(),
  context: z.looseObject({
    userId: z.string().regex(/^(?:Practitioner|PractitionerRole)\/[A-Za-z0-9\-.]{1,64}$/),
    patientId: id,
    encounterId: id.nullish(),
    draftOrders: z.looseObject({
      resourceType: z.literal('Bundle'),
      entry: z.array(z.looseObject({ resource: z.looseObject({ resourceType: z.string().min(1), id }) })).min(1).max(200),
    }),
  }),
  prefetch: z.record(z.string(), z.union([resource, z.null()])).nullish(),
  extension: z.looseObject({ 'davinci-crd.configuration': z.record(z.string(), z.unknown()).optional() }).nullish(),
});

export interface OrderSignCall {
  readonly hookInstance: string;
  readonly fhirServer: string | undefined;
  readonly accessToken: string | undefined;
  readonly userId: string;
  readonly patientId: string;
  readonly draftOrders: readonly Resource[];
  /** Absent key: not satisfied. null: the query ran and found nothing. */
  readonly prefetch: Readonly<Record<string, Resource | null>>;
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** @throws Refusal 400 when it is no object, 422 when it is no order-sign call: CRD 2.0.1 tells the two apart. */
export function readOrderSignCall(body: unknown): OrderSignCall {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Refusal(400, 'structure', 'The body is not a JSON object.');
  const parsed = orderSignCall.safeParse(body);
  if (!parsed.success) throw new Refusal(422, 'invalid', parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; '));
  const call = parsed.data;
  if (call.fhirAuthorization && call.fhirServer === undefined) throw new Refusal(422, 'required', 'fhirAuthorization needs fhirServer.');
  return {
    hookInstance: call.hookInstance,
    fhirServer: call.fhirServer,
    accessToken: call.fhirAuthorization?.access_token,
    userId: call.context.userId,
    patientId: call.context.patientId,
    draftOrders: call.context.draftOrders.entry.map((entry) => entry.resource as unknown as Resource),
    prefetch: (call.prefetch ?? {}) as Record<string, Resource | null>,
    configuration: call.extension?.['davinci-crd.configuration'] ?? {},
  };
}
