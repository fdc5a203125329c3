import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string };

export const APP_NAME = 'Open Prior Auth';
export const APP_VERSION = version;
