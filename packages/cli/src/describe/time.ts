/** RFC 3339 as people read it: Sun, 22 Nov 2026 10:00:00 +0000. */
export function timeText(timestamp: string): string {
  const time = new Date(timestamp);
  return Number.isNaN(time.getTime()) ? '<unset>' : time.toUTCString().replace('GMT', '+0000');
}
