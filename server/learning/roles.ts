import { createHash, timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import { z } from 'zod/mini';
import { PolicyFileError, readJsonFile } from '#policies/json-file.ts';
import { LEARNING_ROLES, type LearningRole } from '#prior-auth/learning-api.ts';
import { RegistryError } from './registry-error.ts';

/** Viewers look; trainers also train and register; approvers also promote, roll back and retire. */
export interface ModelPerson {
  readonly name: string;
  readonly role: LearningRole;
}

/** Who starts a retraining by itself; may never approve. */
export const RETRAINING: ModelPerson = { name: 'retraining', role: 'trainer' };

export const mayTrain = ({ role }: ModelPerson): boolean => role !== 'viewer';
export const mayApprove = ({ role }: ModelPerson): boolean => role === 'approver';

const token = z.string().check(z.regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the token: 64 hex digits'));
const rolesFile = z.strictObject({
  people: z.array(z.strictObject({ name: z.string().check(z.minLength(1), z.maxLength(80)), role: z.enum(LEARNING_ROLES), tokenSha256: token })).check(
    z.refine((people) => new Set(people.map(({ name }) => name)).size === people.length, 'two people have the same name'),
    z.refine((people) => new Set(people.map(({ tokenSha256 }) => tokenSha256)).size === people.length, 'two people have the same token'),
    z.refine((people) => !people.some(({ name }) => ['admin', 'operator', 'retraining', 'open-prior-auth'].includes(name)), 'admin, operator, retraining and open-prior-auth are names of the program'),
  ),
});

export interface ModelRoles {
  /** Undefined: nobody has this token. */
  personOf(token: string): ModelPerson | undefined;
}

export interface ModelRolesOptions {
  /** JSON file of people, read again when it changes. */
  readonly file?: string | undefined;
  readonly adminToken?: string | undefined;
  /** Hears of a file that went bad; what it said before stays in force. */
  readonly onFileFault?: (error: RegistryError) => void;
}

/** @throws RegistryError when the file is bad at the start. */
export function openModelRoles({ file, adminToken, onFileFault }: ModelRolesOptions): ModelRoles {
  const stateOf = () => {
    const found = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
    return found ? `${found.ino} ${found.mtimeMs} ${found.size}` : 'none';
  };
  let state = stateOf();
  let people = file === undefined ? [] : readRoles(file);
  const readAgain = (path: string): void => {
    const current = stateOf();
    if (current === state) return;
    state = current;
    try {
      people = readRoles(path);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      onFileFault?.(error);
    }
  };
  return {
    personOf(token) {
      if (file !== undefined) readAgain(file);
      const digest = createHash('sha256').update(token).digest();
      const found = people.find(({ tokenSha256 }) => timingSafeEqual(Buffer.from(tokenSha256, 'hex'), digest));
      if (found) return { name: found.name, role: found.role };
      return adminToken !== undefined && timingSafeEqual(createHash('sha256').update(adminToken).digest(), digest) ? { name: 'admin', role: 'approver' } : undefined;
    },
  };
}

function readRoles(file: string) {
  try {
    return readJsonFile(file, rolesFile).people;
  } catch (cause) {
    if (!(cause instanceof PolicyFileError)) throw cause;
    throw new RegistryError('MODEL_ROLES_FILE_INVALID', cause.message, { cause, nextStep: 'docs/model-registry.md shows the file.' });
  }
}
