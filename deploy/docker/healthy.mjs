// Health check of a service's container: exit code 0 when it says it is ready.
//   node healthy.mjs PORT
const response = await fetch(`http://127.0.0.1:${process.argv[2]}/readyz`).catch(() => undefined);
process.exit(response?.ok ? 0 : 1);
