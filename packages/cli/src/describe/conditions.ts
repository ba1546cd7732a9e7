import type { Condition } from '@navarch/proto';

export function conditionTable(conditions: readonly Condition[]): (readonly string[])[] {
  return [['Type', 'Status', 'Reason'], ...conditions.map(({ type, status, reason }) => [type, status, reason])];
}
