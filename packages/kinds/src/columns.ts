import { age, type KubeObject } from '@navarch/machinery';
import type { Column } from './define-kind.ts';

/** For kinds that place NAME and AGE themselves. */
export const nameColumn: Column<KubeObject> = {
  title: 'NAME',
  description: 'Unique within a namespace among objects of one kind.',
  value: (object) => object.metadata?.name ?? '',
};
export const ageColumn: Column<KubeObject> = {
  title: 'AGE',
  description: 'How long ago the object was made.',
  value: (object, now) => age(object.metadata?.creationTimestamp, now),
};
/** For kinds whose objects hardly change: kubectl shows when they were made in place of their age. */
export const createdColumn: Column<KubeObject> = {
  title: 'CREATED AT',
  description: 'When the object was made.',
  value: ({ metadata }) => metadata?.creationTimestamp ?? '',
};

/** What kubectl prints where there is nothing. */
export const none = '<none>';
export const orNone = (text: string): string => (text === '' ? none : text);

/** `a=1,b=2`, or `<none>`. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  return orNone(
    Object.entries(labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  );
}
