import { z } from 'zod/mini';
import { PolicyFileError, readJsonFile } from '#policies/json-file.ts';
import { registrationKey, type TrustedCdsClient, trustedClientSchema } from './trusted-client.ts';

/** The file of CDS_CLIENTS_FILE cannot be used. The message names file, line and what is wrong, one line for each fault. */
export class ClientsFileError extends Error {
  readonly code = 'CDS_CLIENTS_FILE_INVALID';

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'ClientsFileError';
  }
}

const clientsFile = z.strictObject({
  clients: z.array(trustedClientSchema).check((given) => {
    const first = new Map<string, number>();
    given.value.forEach((client, index) => {
      const key = registrationKey(client);
      const before = first.get(key);
      if (before === undefined) first.set(key, index);
      else given.issues.push({ code: 'custom', input: client.iss, path: [index, 'iss'], message: `the same issuer and tenant as clients.${before}` });
    });
  }),
});

/** @throws ClientsFileError */
export function readClientsFile(file: string): readonly TrustedCdsClient[] {
  try {
    return readJsonFile(file, clientsFile).clients;
  } catch (cause) {
    if (cause instanceof PolicyFileError) throw new ClientsFileError(cause.message, { cause });
    throw cause;
  }
}
