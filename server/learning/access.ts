import express, { type Request, type RequestHandler, type Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Logger } from 'pino';
import type { z } from 'zod/mini';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { LearningRole } from '#prior-auth/learning-api.ts';
import type { AuditTrail } from '#store/audit.ts';
import { sendError } from '../error-reply.ts';
import { mayApprove, mayTrain, type ModelPerson, type ModelRoles } from './roles.ts';

export const LEARNING_API = '/learning/api';

/** Of one address, in a quarter of an hour. */
const WRONG_TOKENS = 20;

export interface LearningAccess {
  /** Refuses who may try no more tokens. Before all handlers. */
  readonly limit: RequestHandler;
  /** Handles a request of somebody who has at least this role; the body, JSON of at most `limit`, is read after that is known. What is thrown goes on to the error handler. */
  for(role: LearningRole, handle: (request: Request, response: Response, by: ModelPerson) => Promise<void> | void, limit?: string): RequestHandler;
}

/** A body as the schema has it. @throws PriorAuthError REQUEST_INVALID with the first thing that is wrong */
export function readBody<T>(schema: z.ZodMiniType<T>, body: unknown): T {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new PriorAuthError('REQUEST_INVALID', `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not valid'}`, { nextStep: 'Correct it and send it again.' });
}

export function learningAccess({ roles, audit, log }: { readonly roles: ModelRoles; readonly audit: AuditTrail; readonly log: Logger }): LearningAccess {
  const has: Readonly<Record<LearningRole, (person: ModelPerson) => boolean>> = { viewer: () => true, trainer: mayTrain, approver: mayApprove };
  return {
    limit: rateLimit({
      windowMs: 15 * 60_000, limit: WRONG_TOKENS, standardHeaders: 'draft-8', legacyHeaders: false,
      requestWasSuccessful: (_request, response) => response.statusCode !== 401, skipSuccessfulRequests: true,
      handler: (_request, response) => sendError(response, 429, 'TOO_MANY_REQUESTS', 'Too many wrong tokens from this address.', 'Wait a quarter of an hour.'),
    }),
    for: (role, handle, limit = '16kb') => async (request, response, next) => {
      try {
        response.set('cache-control', 'no-store');
        const token = /^Bearer ([\x21-\x7e]{1,500})$/i.exec(request.headers.authorization ?? '')?.[1];
        const person = token === undefined ? undefined : roles.personOf(token);
        if (!person) {
          if (token !== undefined) audit.record({ action: 'model-roles-refused', who: 'unknown', outcome: 'refused', details: { why: 'token' } });
          response.set('www-authenticate', 'Bearer');
          return sendError(response, 401, 'MODEL_TOKEN_NEEDED', 'This needs a token of a person with a role.', 'Send it as Bearer; whoever runs the server keeps them in MODEL_ROLES_FILE.');
        }
        if (!has[role](person)) {
          audit.record({ action: 'model-roles-refused', who: person.name, outcome: 'refused', details: { why: 'role', needed: role, role: person.role } });
          log.info({ role: person.role, needed: role }, 'a step that the role does not allow');
          return sendError(response, 403, 'MODEL_ROLE_NEEDED', `This needs the role ${role}; ${person.name} is ${person.role}.`, `Ask somebody who is ${role}.`);
        }
        if (request.method !== 'GET') {
          if (!request.is('application/json')) return sendError(response, 415, 'REQUEST_INVALID', 'Content-Type must be application/json.');
          await new Promise<void>((resolve, reject) => {
            express.json({ limit })(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
          });
        }
        await handle(request, response, person);
      } catch (error) {
        next(error);
      }
    },
  };
}
