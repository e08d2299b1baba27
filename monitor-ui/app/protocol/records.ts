// The log's records as the page reads them. Their shapes are written out of the daemon's own types (`app/wire`); here is only
// how a record that came over the wire meets them, and what newer daemons may add.
import type { Event } from '../wire/log';
import type { LogRecord } from '../wire/wire';

export type EventType = Event['event_type'];
/** What an event of one name says. */
export type Payload<K extends EventType> = Extract<Event, { event_type: K }>['data'];
/** One record of the log whose name this page knows; a newer daemon may send others. */
export type KnownRecord = Omit<LogRecord, 'event_type' | 'data'> & Event;

/** The number at the end of a candidate's id, or -1 for anything else. */
export function numberOf(id: string | null | undefined): number {
  if (!id) return -1;
  const digits = id.slice(id.lastIndexOf('-') + 1);
  return /^\d+$/.test(digits) ? Number(digits) : -1;
}
