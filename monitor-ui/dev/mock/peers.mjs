// Peers as a daemon that knows some would list them, so that the Fleet can be looked at.
const MINUTE = 60_000;

export function examplePeers(now = Date.now()) {
  const digest = (letter) => letter.repeat(64);
  const capabilities = { validation_types: [], improvement_experience: [], targets: [] };
  return {
    peers: [
      { name: 'workshop', url: 'http://10.0.0.7:7717/a2a', breaker: 'closed', answered: 41, latency_ms: 18.4, fault: null, skills: ['transfer_knowledge', 'validate_candidate'], capabilities },
      { name: 'night-shift', url: 'http://10.0.0.9:7717/a2a', breaker: 'open', answered: 3, latency_ms: 210, fault: 'connection refused', skills: ['transfer_knowledge'], capabilities },
    ],
    groups: [{ group_id: 'reports', members: [{ agent_id: 'workshop' }, { agent_id: 'here' }] }],
    sources: [{ source: 'workshop', trust: 0.71, received: 9, improved: 4, failed: 1 }],
    flow: [
      { event_type: 'judged', time_ms: now - MINUTE, digest: digest('a'), target: 'small_or_fast', improved: true },
      { event_type: 'knowledge_received', time_ms: now - 2 * MINUTE, digest: digest('a'), from: 'workshop', target: 'small_or_fast', improvement_type: 'cache_insert', queued: true, compatibility: { score: 0.83 } },
      { event_type: 'knowledge_shared', time_ms: now - 5 * MINUTE, digest: digest('b'), to: 'workshop', attempts: 1, outcome: 'accepted' },
      { event_type: 'knowledge_shared', time_ms: now - 9 * MINUTE, digest: digest('b'), to: 'night-shift', attempts: 3, outcome: { failed: 'connection refused' } },
    ],
  };
}
