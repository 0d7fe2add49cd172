// The store of oidc-provider: one Redis hash per model, with the payload as JSON and a mark once it was consumed.

const GRANTABLE = new Set([
  'AccessToken',
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
]);

export function redisAdapter(redis) {
  return class RedisAdapter {
    constructor(model) {
      this.model = model;
    }

    key(id) {
      return `${this.model}:${id}`;
    }

    async upsert(id, payload, expiresIn) {
      const key = this.key(id);
      const batch = redis.multi();
      const write = (name, add) => {
        add(name);
        if (expiresIn) batch.expire(name, expiresIn);
      };
      write(key, () => batch.hset(key, 'payload', JSON.stringify(payload)));
      if (GRANTABLE.has(this.model) && payload.grantId) {
        write(`grant:${payload.grantId}`, (name) => batch.rpush(name, key));
      }
      if (payload.userCode) write(`userCode:${payload.userCode}`, (name) => batch.set(name, id));
      if (payload.uid) write(`uid:${payload.uid}`, (name) => batch.set(name, id));
      for (const [error] of await batch.exec()) {
        if (error) throw error;
      }
    }

    async find(id) {
      const [payload, consumed] = await redis.hmget(this.key(id), 'payload', 'consumed');
      if (!payload) return undefined;
      const found = JSON.parse(payload);
      if (consumed) found.consumed = Number(consumed);
      return found;
    }

    async findByUserCode(userCode) {
      const id = await redis.get(`userCode:${userCode}`);
      return id ? this.find(id) : undefined;
    }

    async findByUid(uid) {
      const id = await redis.get(`uid:${uid}`);
      return id ? this.find(id) : undefined;
    }

    async consume(id) {
      await redis.hset(this.key(id), 'consumed', Math.floor(Date.now() / 1000));
    }

    async destroy(id) {
      await redis.del(this.key(id));
    }

    async revokeByGrantId(grantId) {
      const list = `grant:${grantId}`;
      const keys = await redis.lrange(list, 0, -1);
      await redis.del(list, ...keys);
    }
  };
}
