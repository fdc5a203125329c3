import { z } from 'zod';

/* A coverage-information from elsewhere: every value of the type that FHIR gives its element, or the whole is not read. */

const text = z.string().optional();
const coding = z.looseObject({ system: text, code: text, display: text });
const contactPoint = z.looseObject({ system: text, value: text });
const values = {
  valueCode: text,
  valueString: text,
  valueDate: text,
  valueCanonical: text,
  valueUrl: text,
  valueBoolean: z.boolean().optional(),
  valueCoding: coding.optional(),
  valueCodeableConcept: z.looseObject({ coding: z.array(coding).optional(), text }).optional(),
  valueReference: z.looseObject({ reference: text }).optional(),
  valueQuantity: z.looseObject({ value: z.number().optional(), unit: text, system: text, code: text }).optional(),
  valuePeriod: z.looseObject({ start: text, end: text }).optional(),
  valueContactPoint: contactPoint.optional(),
  valueContactDetail: z.looseObject({ name: text, telecom: z.array(contactPoint).optional() }).optional(),
};
const part = z.looseObject({ url: z.string(), ...values, extension: z.array(z.looseObject({ url: z.string(), ...values })).optional() });

export const informationForm = z.looseObject({ extension: z.array(part) });
