// Fields that make some applications take a request for one with another method. They belong to no standard.
// The danger it guards against: an OPTIONS or a GET that is waved through, and is a DELETE to the upstream.
export const methodOverrides = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'] as const
