import { splitCanonical } from '../base/canonical.ts';
import { isIgId, type IgId } from '../tables/ig-lock.ts';
import { claimedProfiles, profilesClaimedInside } from './claimed-profiles.ts';
import { CodeMembership } from './code-membership.ts';
import { Forest, typeUrl, type StructureTree } from './element-tree.ts';
import { isObject } from './json-values.ts';
import { Tables } from './load-tables.ts';
import { isPasBundleProfile, pasBundleIssues } from './pas-bundle-rules.ts';
import { report, type ValidationIssue, type ValidationReport } from './report.ts';
import { Walk, type Guide } from './walk.ts';

export type { IgId } from '../tables/ig-lock.ts';
export type { IssueCode, ValidationIssue, ValidationReport } from './report.ts';

interface ValidateOptions {
  /** Canonical to hold the resource against, instead of those in its meta.profile. A version picks among the guides opened. */
  readonly profile?: string;
}

export interface Validator {
  /** What is no FHIR resource, or is nested too deeply, comes back as an issue. */
  validate(resource: unknown, options?: ValidateOptions): ValidationReport;
}

interface OpenedGuide extends Guide {
  readonly ig: IgId;
  readonly tables: Tables;
}

/**
 * A validator for these guides. Where two define the same canonical, a version in the canonical decides, else the first named.
 * Throws RangeError for a guide that is not in ig.lock.json.
 */
export function openValidator(igs: readonly IgId[]): Validator {
  for (const ig of igs) if (!isIgId(ig)) throw new RangeError(`unknown implementation guide ${String(ig)}`);
  const guides = igs.map((ig): OpenedGuide => {
    const tables = new Tables(ig);
    return { ig, tables, forest: new Forest(tables), membership: new CodeMembership(tables) };
  });
  const [first] = guides;
  if (!first) throw new RangeError('name at least one implementation guide');
  return { validate: (resource, options = {}) => validate(resource, options, first, guides) };
}

function validate(resource: unknown, { profile }: ValidateOptions, first: OpenedGuide, guides: readonly OpenedGuide[]): ValidationReport {
  if (!isObject(resource) || typeof resource['resourceType'] !== 'string') {
    return failed('not-a-resource', '', `is no FHIR resource: expected a JSON object with resourceType, found ${kindOf(resource)}`);
  }
  const type = resource['resourceType'];
  const wanted = profile === undefined ? claimedProfiles(resource) : [profile];
  const guide = guideOf(wanted, guides) ?? guideOf(profilesClaimedInside(resource), guides) ?? first;
  const base = guide.forest.tree(typeUrl(type));
  if (base?.facts.kind !== 'resource' || base.facts.abstract) return failed('not-a-resource', type, `${type} is no FHIR R4 resource type`);

  const missing: ValidationIssue[] = [];
  const trees: StructureTree[] = [];
  for (const canonical of wanted) {
    const tree = guide.forest.tree(canonical);
    const exact = tree !== undefined && hasVersion(tree, canonical);
    if (profile !== undefined && !exact) return failed('profile-unknown', type, `${canonical} is in none of the guides opened (${guides.map(({ ig }) => ig).join(', ')})`);
    if (tree) trees.push(tree);
    if (exact) continue;
    const instead = tree ? `the resource was held against version ${tree.facts.version ?? ''}` : 'the resource was not held against it';
    missing.push({ severity: 'information', code: 'profile-unknown', path: type, message: `${canonical} is in neither the guide in use nor those it builds on; ${instead}`, notVerified: true });
  }
  if (trees.length === 0) trees.push(base);
  const walk = new Walk(guide);
  try {
    walk.start(resource, trees);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return failed('not-a-resource', type, 'is nested too deeply to be looked at');
  }
  const profiles = trees.map(({ facts }) => facts.url);
  const bundleProfile = profiles.find(isPasBundleProfile);
  const bundleIssues = bundleProfile === undefined ? [] : pasBundleIssues(resource, bundleProfile);
  return report(profiles, [...missing, ...walk.issues, ...bundleIssues], guide.ig);
}

/** Without a version in the canonical, or in the structure, any will do. */
function hasVersion({ facts }: StructureTree, canonical: string): boolean {
  const { version } = splitCanonical(canonical);
  return version === undefined || facts.version === undefined || facts.version === version;
}

function guideOf(canonicals: readonly string[], guides: readonly OpenedGuide[]): OpenedGuide | undefined {
  return guides.find(({ tables }) =>
    canonicals.some((canonical) => {
      const { url, version } = splitCanonical(canonical);
      return tables.defines(url, version);
    }),
  );
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (!isObject(value)) return value === null ? 'null' : `a ${typeof value}`;
  if ('resourceType' in value) return 'a resourceType that is no text';
  return 'cards' in value || 'indicator' in value ? 'an answer or card of CDS Hooks' : 'an object without it';
}

function failed(code: 'not-a-resource' | 'profile-unknown', path: string, message: string): ValidationReport {
  return report([], [{ severity: 'error', code, path, message }]);
}
