const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Bytes for people: '512 bytes', '1.7 GiB', '2 GiB', '410 MiB'. */
export function humanSize(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(Math.abs(bytes), 1)) / 10));
  const value = bytes / 1024 ** power;
  const rounded = value.toFixed(Math.abs(value) >= 100 ? 0 : 1).replace(/\.0$/, '');
  return `${rounded} ${units[power]}`;
}
