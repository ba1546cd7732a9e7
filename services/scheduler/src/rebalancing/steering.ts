import type { Change, InformerSet } from '@navarch/client';
import {
  controllerOf,
  lease as leaseKind,
  movesLease,
  movesOf,
  pod as podKind,
  type RecordedMove,
} from '@navarch/kinds';
import type { Lease } from '@navarch/proto';
import type { ClusterState } from '../cluster-state.ts';
import { type PodInfo, toPodInfo } from '../pod-info.ts';
import type { Decision } from '../schedule.ts';

export interface SteeringOptions {
  readonly informers: InformerSet;
  readonly state: ClusterState;
  /** Pods of an owner are to be placed by somebody else from now on, or room is free again. */
  readonly onChange: () => void;
}

/**
 * Brings a Pod to the node that another of its owner was moved from, while that move is being undone. Every scheduler knows of it, by
 * the moves' Lease, before the Pod that is to be steered exists: its revision is earlier. All of them keep room on the node and leave Pods
 * of that owner to the leader, which steers the first that it can.
 */
export class Steering {
  readonly #options: SteeringOptions;
  #move: RecordedMove | undefined;
  /** What stands on the old node for the Pod that will come. */
  #standIn: PodInfo | undefined;
  /** The uid of the Pod that was steered. */
  #steered: string | undefined;
  #missed: number | undefined;

  constructor(options: SteeringOptions) {
    this.#options = options;
    options.informers.onChange(leaseKind, (change) => this.#onLease(change));
  }

  /** Whether the Pod may be the one that is steered: the leader places it. */
  concerns(info: PodInfo): boolean {
    return this.#move !== undefined && controllerOf(info.pod)?.uid === this.#move.ownerUid;
  }

  /** Whether a Pod came for this move and did not fit any more. */
  missed({ id }: RecordedMove): boolean {
    return this.#missed === id;
  }

  /** Where the Pod is placed if it is steered; undefined where it is placed like any other. */
  decide(info: PodInfo, decide: (info: PodInfo) => Decision): Decision | undefined {
    const move = this.#move;
    if (move === undefined || !this.concerns(info) || (this.#steered ?? info.uid) !== info.uid) return undefined;
    if (this.#missed === move.id) return undefined;
    this.#dropStandIn();
    const decision = decide({ ...info, namedNodes: new Set([move.from]) });
    if (decision.type === 'place') {
      this.#steered = info.uid;
      return decision;
    }
    this.#missed = move.id;
    return undefined;
  }

  #onLease({ type, object }: Change<Lease>): void {
    const { namespace, name } = object.metadata;
    if (namespace !== movesLease.namespace || name !== movesLease.name) return;
    const moves = type === 'deleted' ? [] : movesOf(object);
    const move = moves.find(({ state }) => state === 'undoing');
    if (move?.id === this.#move?.id && move?.since === this.#move?.since) return;
    this.#dropStandIn();
    this.#move = move;
    this.#steered = undefined;
    this.#missed = undefined;
    if (move !== undefined) this.#keepRoom(move);
    this.#options.onChange();
  }

  /** Any Pod of the owner stands for the one that will come: they are made alike. */
  #keepRoom(move: RecordedMove): void {
    const { informers, state } = this.#options;
    const own = informers
      .lister(podKind)
      .list()
      .filter((pod) => controllerOf(pod)?.uid === move.ownerUid);
    const sample = own.find(({ metadata }) => metadata.uid === move.undoing?.uid) ?? own[0];
    if (sample === undefined || state.snapshot.find(move.from) < 0) return;
    this.#standIn = { ...toPodInfo(sample), key: `undo of move ${move.id}` };
    state.nominate(this.#standIn, move.from);
  }

  #dropStandIn(): void {
    if (this.#standIn !== undefined) this.#options.state.dropNomination(this.#standIn.key);
    this.#standIn = undefined;
  }
}
