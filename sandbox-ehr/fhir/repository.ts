import { sql } from 'kysely';
import type { AnyDatabase, Store } from '#store/database.ts';
import type { Transaction } from 'kysely';
import { FhirRefusal } from '../errors.ts';
import { type EhrDatabase, INDEX_TABLES, tablesOf } from '../tables.ts';
import { type Access, type Interaction, reachSql, requireReach, requireWrite } from './access.ts';
import { addIndexRows, emptyIndexRows } from './index-rows.ts';
import type { StoredResource } from './structure.ts';

export type Write =
  /** `ifMatch`: the version that must stand stored (412 otherwise). */
  | { readonly kind: 'put'; readonly resource: StoredResource; readonly ifMatch?: number | undefined }
  | { readonly kind: 'delete'; readonly type: string; readonly id: string };

export type Written = { readonly kind: 'created' | 'updated' | 'deleted' | 'absent'; readonly type: string; readonly id: string; readonly version: number; readonly resource?: StoredResource };

export interface StoredVersion {
  readonly id: string;
  readonly version: number;
  readonly updatedMs: number;
  readonly resource: StoredResource | undefined;
}

type Row = { type: string; id: string; version: number; updated_ms: number; deleted: boolean; content: string };

const parse = (row: { content: string }): StoredResource => JSON.parse(row.content) as StoredResource;

/** FHIR resources over SQL tables: the current rows, every version, and one index table for each kind of search parameter. */
export class FhirRepository {
  readonly store: Store;
  readonly db: EhrDatabase;
  readonly fhirBase: string;
  readonly now: () => number;

  constructor(store: Store, db: EhrDatabase, fhirBase: string, now: () => number) {
    this.store = store;
    this.db = db;
    this.fhirBase = fhirBase;
    this.now = now;
  }

  /** The same repository on a transaction's handle. */
  within(trx: Transaction<AnyDatabase>): FhirRepository {
    return new FhirRepository(this.store, tablesOf(trx), this.fhirBase, this.now);
  }

  /** Runs `work` on a repository whose writes are all kept or all dropped. */
  transaction<T>(work: (repository: FhirRepository) => Promise<T>): Promise<T> {
    return this.store.transaction((trx) => work(this.within(trx)));
  }

  /** Throws 404, 410 when deleted, 403 when the type is out of reach; a resource of another patient is 404. */
  async read(type: string, id: string, access: Access): Promise<StoredResource> {
    requireReach(access, type, 'r');
    const { rows } = await sql<Row>`select r.* from ehr.resource r where r.type = ${type} and r.id = ${id}
      and (r.deleted or ${reachSql(access, type, 'r', this.fhirBase)})`.execute(this.db);
    const [row] = rows;
    if (!row) throw new FhirRefusal(404, 'not-found', 'No such resource.');
    if (row.deleted) throw new FhirRefusal(410, 'deleted', 'The resource was deleted.');
    return parse(row);
  }

  async find(type: string, id: string, access: Access): Promise<StoredResource | undefined> {
    const [found] = await this.findMany([`${type}/${id}`], access);
    return found;
  }

  /** Those of the references ("Type/id") that exist and are within reach; in no particular order. */
  async findMany(references: readonly string[], access: Access): Promise<StoredResource[]> {
    const idsByType = new Map<string, string[]>();
    for (const reference of new Set(references)) {
      const [type = '', id, ...more] = reference.split('/');
      if (id && more.length === 0) idsByType.set(type, [...(idsByType.get(type) ?? []), id]);
    }
    const found: StoredResource[] = [];
    for (const [type, ids] of idsByType) {
      const { rows } = await sql<Row>`select r.* from ehr.resource r where r.type = ${type} and not r.deleted and r.id in (${sql.join(ids)})
        and ${reachSql(access, type, 'r', this.fhirBase)}`.execute(this.db);
      found.push(...rows.map(parse));
    }
    return found;
  }

  /** All versions, newest first; the same refusals as `read`, save that a deleted resource has a history too. */
  async versions(type: string, id: string, access: Access): Promise<StoredVersion[]> {
    if (access.reach(type, 'r') !== 'all') await this.read(type, id, access);
    const rows = await this.db.selectFrom('ehr.version').selectAll().where('type', '=', type).where('id', '=', id).orderBy('version', 'desc').execute();
    if (rows.length === 0) throw new FhirRefusal(404, 'not-found', 'No such resource.');
    return rows.map((row) => ({ id: row.id, version: row.version, updatedMs: row.updated_ms, resource: row.deleted ? undefined : parse(row) }));
  }

  /** Only inside a transaction. Each (type, id) may come once. Order of results is the order of `writes`. */
  async write(writes: readonly Write[], access: Access): Promise<Written[]> {
    if (writes.length === 0) return [];
    const before = await this.lockCurrent(writes.map(keyOf));
    const updatedMs = this.now();
    const results: Written[] = [];
    const rows: Row[] = [];
    for (const write of writes) {
      const [type, id] = [typeOf(write), idOf(write)];
      const current = before.get(keyOf(write));
      const standing = current && !current.deleted ? current : undefined;
      requireWrite(access, interactionOf(write, standing), standing ? parse(standing) : undefined, write.kind === 'put' ? write.resource : undefined, this.fhirBase);
      if (write.kind === 'delete' && !standing) {
        results.push({ kind: 'absent', type, id, version: current?.version ?? 0 });
        continue;
      }
      if (write.kind === 'put' && write.ifMatch !== undefined && write.ifMatch !== standing?.version) {
        throw new FhirRefusal(412, 'conflict', 'If-Match: the resource has another version now.');
      }
      const version = (current?.version ?? 0) + 1;
      const resource = write.kind === 'put' ? withMeta(write.resource, version, updatedMs) : undefined;
      rows.push({ type, id, version, updated_ms: updatedMs, deleted: !resource, content: resource ? JSON.stringify(resource) : '' });
      results.push({ kind: resource ? (standing ? 'updated' : 'created') : 'deleted', type, id, version, ...(resource ? { resource } : {}) });
    }
    await this.storeRows(rows, new Set(before.keys()));
    await this.index(results);
    return results;
  }

  /** Conditional creates wait for each other until their transaction ends, so that two of them never both find nothing. */
  async serializeConditional(): Promise<void> {
    await sql`select pg_advisory_xact_lock(hashtext('ehr.conditional-create'))`.execute(this.db);
  }

  private async lockCurrent(keys: readonly string[]): Promise<Map<string, Row>> {
    if (new Set(keys).size !== keys.length) throw new FhirRefusal(400, 'invariant', 'A resource is written more than once in one transaction.');
    const wanted = JSON.stringify(keys.map((key) => ({ type: key.split('/')[0], id: key.split('/')[1] })));
    const { rows } = await sql<Row>`select r.* from ehr.resource r join jsonb_to_recordset(${wanted}::jsonb) as w(type text, id text) on w.type = r.type and w.id = r.id
      order by r.type, r.id for update of r`.execute(this.db);
    return new Map(rows.map((row) => [`${row.type}/${row.id}`, row]));
  }

  private async storeRows(rows: readonly Row[], existing: ReadonlySet<string>): Promise<void> {
    if (rows.length === 0) return;
    const recordset = sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n(type text, id text, version int, updated_ms double precision, deleted boolean, content text)`;
    const { rows: stored } = await sql`insert into ehr.resource (type, id, version, updated_ms, deleted, content) select * from ${recordset}
      on conflict (type, id) do update set version = excluded.version, updated_ms = excluded.updated_ms, deleted = excluded.deleted, content = excluded.content
      where ehr.resource.version = excluded.version - 1 returning 1`.execute(this.db);
    // Two creations of the same id at once: the later one finds a version it did not count on.
    if (stored.length !== rows.length) throw new FhirRefusal(409, 'conflict', 'The resource was written by someone else at the same time.');
    await sql`insert into ehr.version (type, id, version, updated_ms, deleted, content) select * from ${recordset}`.execute(this.db);
    const stale = rows.filter((row) => existing.has(`${row.type}/${row.id}`)).map(({ type, id }) => ({ type, id }));
    if (stale.length === 0) return;
    for (const table of INDEX_TABLES) {
      await sql`delete from ${sql.table(table)} x using jsonb_to_recordset(${JSON.stringify(stale)}::jsonb) as w(type text, id text)
        where x.type = w.type and x.id = w.id`.execute(this.db);
    }
  }

  private async index(results: readonly Written[]): Promise<void> {
    const rows = emptyIndexRows();
    for (const { resource } of results) if (resource) addIndexRows(rows, resource, this.fhirBase);
    const columns = {
      token: sql`type text, id text, param text, system text, code text, text text`,
      reference: sql`type text, id text, param text, target text, identifier text`,
      date: sql`type text, id text, param text, low_ms double precision, high_ms double precision`,
      string: sql`type text, id text, param text, value text, exact text`,
      quantity: sql`type text, id text, param text, value double precision, system text, code text, unit text`,
    };
    for (const kind of ['token', 'reference', 'date', 'string', 'quantity'] as const) {
      if (rows[kind].length === 0) continue;
      await sql`insert into ${sql.table(`ehr.${kind}`)} select distinct * from jsonb_to_recordset(${JSON.stringify(rows[kind])}::jsonb) as n(${columns[kind]})`.execute(this.db);
    }
  }
}

const typeOf = (write: Write): string => (write.kind === 'put' ? write.resource.resourceType : write.type);
const idOf = (write: Write): string => (write.kind === 'put' ? write.resource.id : write.id);
const keyOf = (write: Write): string => `${typeOf(write)}/${idOf(write)}`;
const interactionOf = (write: Write, standing: unknown): Interaction => (write.kind === 'delete' ? 'd' : standing ? 'u' : 'c');

function withMeta(resource: StoredResource, version: number, updatedMs: number): StoredResource {
  return { ...resource, meta: { ...resource.meta, versionId: String(version), lastUpdated: new Date(updatedMs).toISOString() } };
}
