const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A random UUID (RFC 9562, version 4), from a source of numbers in [0, 1). */
export function uidFrom(random: () => number): string {
  let uid = '';
  for (let i = 0; i < 16; i++) {
    let byte = Math.floor(random() * 256);
    if (i === 6) byte = (byte & 0x0f) | 0x40;
    if (i === 8) byte = (byte & 0x3f) | 0x80;
    if (i === 4 || i === 6 || i === 8 || i === 10) uid += '-';
    uid += hex[byte];
  }
  return uid;
}
