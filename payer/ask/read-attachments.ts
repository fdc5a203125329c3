import type { Resource } from '@medplum/fhirtypes';
import { z } from 'zod';
import { PayerError, type Problem } from '../payer-error.ts';

export interface SentAttachments {
  /** The attachment control number. */
  readonly trackingId: string;
  readonly memberId: string;
  readonly attachments: readonly { readonly code?: string; readonly content: Resource }[];
  /** False: more will come. */
  readonly isFinal: boolean;
}

const identifier = z.looseObject({ value: z.string().min(1) });
const Part = z.looseObject({ name: z.string(), valueCode: z.string().optional(), valueString: z.string().optional(), valueIdentifier: identifier.optional(), valueBoolean: z.boolean().optional(), valueCodeableConcept: z.looseObject({ coding: z.array(z.looseObject({ code: z.string().optional() })).optional() }).optional(), resource: z.looseObject({ resourceType: z.string() }).optional() });
const Parameters = z.looseObject({ resourceType: z.literal('Parameters'), parameter: z.array(Part.extend({ part: z.array(Part).optional() })) });
type Parameter = z.infer<typeof Parameters>['parameter'][number];

const MOST_ATTACHMENTS = 50;

/**
 * Reads the input of CDex `$submit-attachment` for a prior authorization.
 * @throws PayerError 400 for what is no Parameters, 422 with one issue for each parameter that is missing or cannot be read
 */
export function readAttachments(body: unknown): SentAttachments {
  const parsed = Parameters.safeParse(body);
  if (!parsed.success) {
    throw new PayerError(400, parsed.error.issues.map(({ path, message }) => ({ code: 'structure' as const, text: message, expression: ['Parameters', ...path].join('.').replace(/\.(\d+)/g, '[$1]') })));
  }
  const problems: Problem[] = [];
  const named = (name: string): readonly Parameter[] => parsed.data.parameter.filter((parameter) => parameter.name === name);
  const place = (name: string): string => `Parameters.parameter.where(name='${name}')`;
  const say = (code: Problem['code'], name: string, text: string) => problems.push({ code, text, expression: place(name) });
  const one = (name: string): Parameter | undefined => {
    const found = named(name);
    if (found.length > 1) say('structure', name, `${name} is sent once.`);
    return found[0];
  };
  const trackingId = one('TrackingId')?.valueIdentifier?.value;
  if (trackingId === undefined) say('required', 'TrackingId', 'TrackingId carries the control number of the request for information as an Identifier with a value.');
  const attachTo = one('AttachTo')?.valueCode;
  if (attachTo === undefined) say('required', 'AttachTo', 'AttachTo says what the attachments belong to.');
  else if (attachTo !== 'preauthorization') say('not-supported', 'AttachTo', 'Attachments are taken for AttachTo preauthorization only.');
  const memberId = one('MemberId')?.valueIdentifier?.value ?? one('MemberId')?.valueString;
  if (memberId === undefined) say('required', 'MemberId', 'MemberId carries the member number as an Identifier with a value.');
  if (!['OrganizationId', 'ProviderId'].some((name) => one(name)?.valueIdentifier)) say('required', 'OrganizationId', 'OrganizationId or ProviderId carries the identifier of who sends.');
  const sent = named('Attachment');
  if (sent.length === 0) say('required', 'Attachment', 'At least one Attachment is needed.');
  if (sent.length > MOST_ATTACHMENTS) say('too-costly', 'Attachment', `At most ${MOST_ATTACHMENTS} attachments are taken at once.`);
  const attachments = sent.flatMap(({ part = [] }) => {
    const content = part.filter(({ name }) => name === 'Content');
    const [resource] = content.map((one) => one.resource);
    const code = part.find(({ name }) => name === 'Code')?.valueCodeableConcept?.coding?.[0]?.code;
    if (content.length === 1 && resource) return [{ ...(code === undefined ? {} : { code }), content: resource as unknown as Resource }];
    say('required', 'Attachment', 'Each Attachment has one Content with a resource.');
    return [];
  });
  if (problems.length > 0 || trackingId === undefined || memberId === undefined) throw new PayerError(problems.some(({ code }) => code === 'not-supported') ? 422 : 400, problems);
  return { trackingId, memberId, attachments, isFinal: one('Final')?.valueBoolean ?? true };
}
