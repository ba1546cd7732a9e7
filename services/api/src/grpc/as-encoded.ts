/** The serializer of methods whose handlers answer with bytes. */
export const asEncoded = (encoded: Buffer): Buffer => encoded;
