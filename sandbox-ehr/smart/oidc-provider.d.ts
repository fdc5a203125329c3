/** oidc-provider ships no types; these are the parts used here. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export interface OidcContext {
    readonly route?: string;
    readonly params?: Readonly<Record<string, string | undefined>>;
    readonly client?: { readonly clientId: string };
    readonly result?: { readonly consent?: { readonly grantId?: string } };
    readonly entities: Readonly<Record<string, { readonly grantId?: string; readonly scope?: string; readonly jti?: string } | undefined>>;
  }
  export interface Context {
    /** Absent on addresses that it does not serve, whatever the type says. */
    readonly oidc: OidcContext;
    readonly accepts: (...types: string[]) => string | false;
    status: number;
    type: string;
    body: unknown;
  }
  export interface Token {
    readonly kind: string;
    readonly grantId?: string;
  }
  export interface Grant {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }
  export interface InteractionDetails {
    readonly uid: string;
    readonly params: Readonly<Record<string, string | undefined>>;
  }
  export interface Adapter {
    upsert(id: string, payload: object, expiresInSeconds: number | undefined): Promise<void>;
    find(id: string): Promise<object | undefined>;
    findByUid(uid: string): Promise<object | undefined>;
    findByUserCode(userCode: string): Promise<object | undefined>;
    consume(id: string): Promise<void>;
    destroy(id: string): Promise<void>;
    revokeByGrantId(grantId: string): Promise<void>;
  }
  export const errors: Readonly<Record<'InvalidRequest' | 'InvalidGrant', new (description: string) => Error>>;
  export class Provider {
    constructor(issuer: string, configuration: object);
    proxy: boolean;
    readonly Grant: { new (properties: { accountId: string; clientId: string }): Grant; find(id: string): Promise<Grant | undefined> };
    use(middleware: (ctx: Context, next: () => Promise<void>) => Promise<void>): void;
    on(event: string, listener: (ctx: Context, error: Error) => void): void;
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<InteractionDetails>;
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: object, options: { mergeWithLastSubmission: boolean }): Promise<void>;
  }
}
