// Where the gateway's own keys are published, at the admin listener and, where the file says so, at the public door (RFC 8615).
// The danger it guards against: two places that differ.

export const keySetPath = '/.well-known/banyan/jwks.json'
