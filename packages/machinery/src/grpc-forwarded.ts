/** The metadata key under which a service that calls for somebody else passes on that one's user agent. */
export const forwardedAgentKey = 'navarch-user-agent';
