// An orders API with Nest and its JwtService; OPTIONS (JSON in the environment) says what is wrong.
require("reflect-metadata");
const { Controller, Get, Injectable, Module, UnauthorizedException, UseGuards, Post } = require("@nestjs/common");
const { NestFactory } = require("@nestjs/core");
const { JwtModule, JwtService } = require("@nestjs/jwt");

const o = { secret: "", audience: undefined, issuer: undefined, role: "admin", ...JSON.parse(process.env.OPTIONS) };
const decorated = (target, decorators, types) => {
  if (types) Reflect.defineMetadata("design:paramtypes", types, target);
  for (const decorate of decorators) decorate(target);
  return target;
};
const method = (target, name, ...decorators) => {
  for (const decorate of decorators) decorate(target.prototype, name, Object.getOwnPropertyDescriptor(target.prototype, name));
};

class AuthGuard {
  constructor(jwt) {
    this.jwt = jwt;
  }

  async canActivate(context) {
    const request = context.switchToHttp().getRequest();
    const [type, token] = request.headers.authorization?.split(" ") ?? [];
    if (type !== "Bearer" || !token) throw new UnauthorizedException();
    try {
      request.user = await this.jwt.verifyAsync(token, { secret: o.secret, audience: o.audience, issuer: o.issuer });
    } catch {
      throw new UnauthorizedException();
    }
    return true;
  }
}
decorated(AuthGuard, [Injectable()], [JwtService]);

class RolesGuard {
  canActivate(context) {
    return (context.switchToHttp().getRequest().user.roles ?? []).includes(o.role);
  }
}
decorated(RolesGuard, [Injectable()]);

class OrdersController {
  list() {
    return [{ id: 17, total: "12.50" }];
  }
  one() {
    return { id: 17, total: "12.50" };
  }
  me() {
    return { ok: true };
  }
  create() {
    return { id: 18 };
  }
  reports() {
    return [];
  }
}
method(OrdersController, "list", Get("orders"));
method(OrdersController, "one", Get("orders/:id"));
method(OrdersController, "me", Get("me"));
method(OrdersController, "create", Post("orders"));
method(OrdersController, "reports", Get("admin/reports"), UseGuards(RolesGuard));
decorated(OrdersController, [Controller("api"), UseGuards(AuthGuard)]);

class HealthController {
  health() {
    return { status: "ok" };
  }
}
method(HealthController, "health", Get("health"));
decorated(HealthController, [Controller()]);

class AppModule {}
decorated(AppModule, [Module({ imports: [JwtModule.register({ global: true, secret: o.secret })], controllers: [OrdersController, HealthController] })]);

NestFactory.create(AppModule).then((app) => app.listen(o.port, "127.0.0.1"));
