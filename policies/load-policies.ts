import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Questionnaire } from '@medplum/fhirtypes';
import { z } from 'zod/mini';
import { type Policy, type PolicyDefault, policyDefaultSchema, policySchema } from '#prior-auth/coverage-requirement/policy.ts';
import { createPolicyLibrary, type PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import { PolicyFileError, readJsonFile } from './json-file.ts';
import { policyDefaultFaults, policyFaults } from './policy-faults.ts';

export type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';

/** As far as the library relies on it; the rest of the Questionnaire is sent as it stands. */
const formSchema = z.looseObject({ resourceType: z.literal('Questionnaire'), url: z.url(), version: z.string().check(z.minLength(1)), status: z.literal('active') });

/**
 * Reads every *.json of the folder (default: the library that ships) what holds for services that none names, and the forms that responses send along.
 * @throws PolicyFileError naming file and line of every fault in the first bad file, or a clash between files.
 */
export function loadPolicies(folder: string = join(import.meta.dirname, 'library'), defaultFile: string = join(import.meta.dirname, 'default.json'), formsFolder: string = join(import.meta.dirname, 'forms')): PolicyLibrary {
  const files = listFiles(folder);
  const policies = files.map((file) => readPolicyFile(join(folder, file)));
  const forms = listFiles(formsFolder).map((file) => readFormFile(join(formsFolder, file)));
  return createPolicyLibrary(policies, readDefaultFile(defaultFile), forms);
}

/** What holds without a policy. @throws PolicyFileError naming file and line of every fault */
export function readDefaultFile(path: string): PolicyDefault {
  return readJsonFile(path, policyDefaultSchema, policyDefaultFaults);
}

/** @throws PolicyFileError naming file and line of every fault */
export function readFormFile(path: string): Questionnaire {
  return readJsonFile<unknown>(path, formSchema) as Questionnaire;
}

/** @throws PolicyFileError naming file and line of every fault */
export function readPolicyFile(path: string): Policy {
  return readJsonFile(path, policySchema, (policy) => policyFaults(policy, basename(path)));
}

export function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.json')).sort();
  } catch (cause) {
    throw new PolicyFileError(`${folder}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}
