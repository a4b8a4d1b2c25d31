import type { Postgres } from "../../../../runtime/postgres/postgres.ts";
import type { AlertSummary } from "../../alert-view.ts";
import { type Count, countAlerts } from "./count.ts";
import { findDetail, type TaggedDetail } from "./detail.ts";
import { exportDetails, type ExportRequest, exportSummaries } from "./export.ts";
import { countFacets, type FacetKey, type Facets } from "./facets.ts";
import { countBuckets, type Histogram } from "./histogram.ts";
import { type ListPage, listPage, type ListRequest } from "./page.ts";
import type { Selection } from "./request.ts";

/**
 * What people ask of the alerts. Every call but an export is one statement, and throws UnavailableError
 * while the database is away.
 */
export interface AlertReader {
  /** A page; throws CursorError for a cursor that no list of that order answered with. */
  list(request: ListRequest): Promise<ListPage>;
  /** How many alerts there are, counted as far as `cap`. */
  count(selection: Selection, cap: number): Promise<Count>;
  /** The values of keys and how many alerts have them, over the 10,000 newest that match. */
  facets(selection: Selection, keys: readonly FacetKey[], prefix?: string): Promise<Facets>;
  /** How many there were over time, by severity, over the 100,000 newest that match. */
  histogram(request: Selection & { readonly buckets: number }): Promise<Histogram>;
  /** Everything about the alert that an id (a UUID) stands for, also one that was joined into another. */
  find(id: string): Promise<TaggedDetail | undefined>;
  /** All that match, batch by batch: the memory it takes does not grow, and it ends with its consumer. */
  rows(request: ExportRequest): AsyncIterable<readonly AlertSummary[]>;
  /** The same with everything about each. */
  details(request: ExportRequest): AsyncIterable<readonly TaggedDetail[]>;
}

/** `now` answers epoch milliseconds: what `seen:<15m` is counted from. */
export function createAlertReader({ sql }: Pick<Postgres, "sql">, now: () => number = Date.now): AlertReader {
  return {
    list: (request) => listPage(sql, request, now()),
    count: (selection, cap) => countAlerts(sql, { ...selection, cap }, now()),
    facets: (selection, keys, prefix) => countFacets(sql, { ...selection, keys, prefix }, now()),
    histogram: (request) => countBuckets(sql, request, now()),
    find: (id) => findDetail(sql, id),
    rows: (request) => exportSummaries(sql, request, now()),
    details: (request) => exportDetails(sql, request, now()),
  };
}
