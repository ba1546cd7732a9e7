import { type Demand, minus, plus, pod as podKind, podsResource, type Resources } from '@navarch/kinds';
import type { Change } from '../cache/cached-object.ts';
import type { ObjectCache } from '../cache/object-cache.ts';
import { occupancyOf } from './demands.ts';

/** What the Pods of a node take of it together. */
export interface Room {
  readonly requested: Resources;
  /** How many Pods open each port: `TCP/80`. */
  readonly hostPorts: ReadonlyMap<string, number>;
}

/** A Pod that a write puts on a node. */
export interface Taking {
  readonly nodeName: string;
  readonly demand: Demand;
}

/**
 * A key of its own for each node beside the objects. Whatever puts a Pod on the node writes it, and compares that nobody else
 * has since the state that was decided on: of two bindings, also at two replicas, the later one is decided with the earlier in sight.
 */
export function roomKey(nodeName: string): string {
  return `/navarch-allocations/rooms/${nodeName}`;
}

const emptyRoom: Room = { requested: {}, hostPorts: new Map() };

export function withTaking(room: Room, { demand }: Taking): Room {
  const hostPorts = new Map(room.hostPorts);
  for (const port of demand.hostPorts) hostPorts.set(port, (hostPorts.get(port) ?? 0) + 1);
  return { requested: plus(room.requested, demand.requests), hostPorts };
}

/**
 * The rooms of all nodes as the cache shows them. It follows the cache's history when it is asked, so that an api which binds
 * nothing pays nothing; it counts anew when that history is gone.
 */
export class Rooms {
  readonly #cache: ObjectCache;
  readonly #rooms = new Map<string, Room>();
  /** The Pods that are counted, by key. */
  readonly #takings = new Map<string, Taking>();
  #epoch = 0;
  #position = 0;

  constructor(cache: ObjectCache) {
    this.#cache = cache;
  }

  /** As of the cache's revision. */
  of(nodeName: string): Room {
    this.#catchUp();
    return this.#rooms.get(nodeName) ?? emptyRoom;
  }

  #catchUp(): void {
    const { history, epoch } = this.#cache;
    if (epoch !== this.#epoch) return this.#countAnew();
    while (this.#position < history.end) {
      const set = history.at(this.#position);
      if (set === undefined || set === 'overtaken') return this.#countAnew();
      for (const change of set.changes) this.#follow(change);
      this.#position++;
    }
  }

  #countAnew(): void {
    this.#rooms.clear();
    this.#takings.clear();
    for (const cached of this.#cache.list(podKind)) this.#enter(cached.key, occupancyOf(cached));
    this.#epoch = this.#cache.epoch;
    this.#position = this.#cache.history.end;
  }

  #follow({ after, newest }: Change): void {
    if (newest.kind.case !== podKind.case) return;
    const before = this.#takings.get(newest.key);
    const now = after && occupancyOf(after);
    if (before?.nodeName === now?.nodeName && before?.demand === now?.demand) return;
    this.#leave(newest.key, before);
    this.#enter(newest.key, now);
  }

  #enter(key: string, taking: Taking | undefined): void {
    if (taking === undefined) return;
    this.#takings.set(key, taking);
    this.#rooms.set(taking.nodeName, withTaking(this.#rooms.get(taking.nodeName) ?? emptyRoom, taking));
  }

  #leave(key: string, taking: Taking | undefined): void {
    if (taking === undefined) return;
    const room = this.#rooms.get(taking.nodeName) ?? emptyRoom;
    this.#takings.delete(key);
    const hostPorts = new Map(room.hostPorts);
    for (const port of taking.demand.hostPorts) {
      const left = (hostPorts.get(port) ?? 0) - 1;
      if (left > 0) hostPorts.set(port, left);
      else hostPorts.delete(port);
    }
    const requested = minus(room.requested, taking.demand.requests);
    if ((requested[podsResource] ?? 0) > 0) this.#rooms.set(taking.nodeName, { requested, hostPorts });
    else this.#rooms.delete(taking.nodeName);
  }
}
