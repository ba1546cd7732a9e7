/** The metadata key under which a service that calls for somebody else passes on that one's user agent. */
export const forwardedAgentKey = 'navarch-user-agent';

/** The metadata key under which it says who that is: an encoded UserInfo. */
export const identityKey = 'navarch-identity-bin';
