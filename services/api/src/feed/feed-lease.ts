/** The Lease whose holder publishes the change feed. Each renewal says the time: its versions tell which revision was when. */
export const feedLease = { namespace: 'navarch-system', name: 'change-feed' };
