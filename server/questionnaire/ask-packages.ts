import { withoutSlashes } from '#fhir/base/reference.ts';
import type { Coverage, Resource } from '@medplum/fhirtypes';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { Order } from '#prior-auth/order/requested-service.ts';
import type { PackageFault, QuestionnairePackage } from './package.ts';
import { sayFault } from './package-faults.ts';
import { pathUnder } from '../payer-access.ts';
import type { PayerAccess } from './payer-operation.ts';
import { fetchPackages } from './questionnaire-package.ts';

/** One coverage of an order with what its payer asks for it. */
export interface AskedCoverage {
  readonly access: PayerAccess;
  readonly payerName: string;
  readonly coverage: Coverage;
  /** url|version. */
  readonly questionnaires: readonly string[];
  readonly assertionId: string;
  /** Where it is not the order of the call: one that joined the request. */
  readonly order?: Order;
}

export interface PackagesOfOrder {
  readonly order: Order;
  readonly referenced: readonly Resource[];
  readonly changedSince?: string | undefined;
  /** YYYY-MM-DD at the payer. */
  readonly today: string;
}

export interface AskedPackages {
  readonly packages: readonly QuestionnairePackage[];
  readonly warnings: readonly string[];
  /** Of forms that were left out; the others carry their own. */
  readonly faults: readonly { readonly payerId: string; readonly canonical: string; readonly faults: readonly PackageFault[] }[];
  /** 200 without a package from each payer. */
  readonly nothing: boolean;
}

/**
 * The forms of all coverages of an order, each version once. The first coverage is the case's own: what its payer fails at fails here;
 * what another fails at is a warning. A call names one coverage, which both DTR versions allow, so that each assertion id goes with its own.
 */
export async function askPackages(asked: readonly AskedCoverage[], about: PackagesOfOrder): Promise<AskedPackages> {
  const answers = await Promise.all(asked.map(async (one, index) => {
    try {
      return await askOne(one, about);
    } catch (error) {
      if (index === 0 || !(error instanceof PriorAuthError)) throw error;
      return { packages: [], warnings: [`The forms of ${one.payerName} could not be read: ${error.message}`], faults: [], nothing: true };
    }
  }));
  const [own] = asked;
  const packages = answers.flatMap((answer, index) => answer.packages.map((each) => ({
    ...each,
    coverage: `Coverage/${asked[index]?.coverage.id ?? ''}`,
    ...(asked[index]?.access.payerId === own?.access.payerId ? {} : { payerId: asked[index]?.access.payerId ?? '' }),
  })));
  return {
    packages: packages.filter((one, index) => packages.findIndex(({ canonical }) => canonical === one.canonical) === index),
    warnings: [...new Set(answers.flatMap(({ warnings }) => warnings))],
    faults: answers.flatMap(({ faults }) => faults),
    nothing: answers.every(({ nothing }) => nothing),
  };
}

/** A form that was named and has expired is asked for anew, by the order and without naming it; one that comes expired all the same is the payer's fault. */
async function askOne({ access, coverage, questionnaires, assertionId, order: own }: AskedCoverage, { order, referenced, changedSince, today }: PackagesOfOrder): Promise<AskedPackages> {
  const ask = (named: readonly string[], since?: string) => fetchPackages(access, { coverage, order: own ?? order, referenced, questionnaires: named, context: assertionId, changedSince: since });
  const answer = await ask(questionnaires, changedSince);
  const received = answer.kind === 'packages' ? answer.packages : [];
  const expired = received.filter((one) => isExpired(one, today));
  const warnings = [...answer.warnings];
  const fresh: QuestionnairePackage[] = received.filter((one) => !expired.includes(one));
  let late = expired;
  if (expired.length > 0 && questionnaires.length > 0) {
    warnings.push(...expired.map(({ questionnaire, canonical }) => `The payer’s form “${questionnaire.title ?? canonical}” has expired. The payer was asked for the form that is valid now.`));
    const again = await ask([]);
    warnings.push(...again.warnings);
    const renewed = again.kind === 'packages' ? again.packages : [];
    fresh.push(...renewed.filter((one) => !isExpired(one, today)));
    late = renewed.filter((one) => isExpired(one, today));
  }
  const faults = late.map(({ canonical }) => ({ payerId: access.payerId, canonical, faults: [{ kind: 'expired', place: canonical } as const] }));
  warnings.push(...late.flatMap(({ canonical }) => sayFault({ kind: 'expired', place: canonical }) ?? []));
  return { packages: fresh.map((one) => withOwnAddress(one, access)), warnings, faults, nothing: received.length === 0 };
}

export function isExpired({ questionnaire }: Pick<QuestionnairePackage, 'questionnaire'>, today: string): boolean {
  const end = questionnaire.effectivePeriod?.end;
  return end !== undefined && end.slice(0, 10) < today.slice(0, end.length);
}

/** An adaptive form's address must lie under the payer's base, where our token is good and nowhere else is asked. */
function withOwnAddress(one: QuestionnairePackage, { base }: PayerAccess): QuestionnairePackage {
  const address = one.adaptive?.base;
  if (address === undefined || withoutSlashes(address) === base || pathUnder(base, address) !== undefined) return one;
  const fault = { kind: 'adaptive-url', place: one.canonical } as const;
  return { ...one, adaptive: {}, faults: [...(one.faults ?? []), fault], warnings: [...(one.warnings ?? []), sayFault(fault) ?? ''] };
}
