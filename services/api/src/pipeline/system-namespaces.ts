/** Made at the start of the api, and there for good. */
export const systemNamespaces: readonly string[] = ['default', 'navarch-system', 'navarch-node-leases'];
