#!/usr/bin/perl
# An orders API with Mojolicious and Mojo::JWT or Crypt::JWT; OPTIONS (JSON in the environment) says what is wrong.
use Mojolicious::Lite -signatures;
use Crypt::JWT qw(decode_jwt);
use Mojo::JWT;
use Mojo::JSON qw(decode_json);

my $o = {library => 'crypt', key => undef, pem => undef, alg => undef, aud => undef, iss => undef, leeway => 0, quiet => 0, %{decode_json($ENV{OPTIONS})}};
app->secrets([$o->{session_secret}]) if $o->{session_secret};
app->log->level('info');
app->mode('production');

app->hook(after_dispatch => sub ($c) {
  my $path = $c->req->url->path;
  my $who = $c->req->headers->header('X-Forwarded-For') // $c->tx->remote_address;
  $c->app->log->info(join ' ', $who, $c->req->method, $path, $c->res->code // 0) unless $path eq '/health';
});

sub verify ($token) {
  return Mojo::JWT->new(secret => $o->{key}, ($o->{alg} ? (algorithm => $o->{alg}) : ()))->decode($token) if $o->{library} eq 'mojo';
  my $pem = $o->{pem};
  return decode_jwt(token => $token, ($pem ? (key => \$pem) : $o->{keys} ? (kid_keys => $o->{keys}) : (key => $o->{key})), leeway => $o->{leeway}, verify_exp => 1,
    ($o->{alg} ? (accepted_alg => $o->{alg}) : ()), (defined $o->{aud} ? (verify_aud => $o->{aud}) : ()), (defined $o->{iss} ? (verify_iss => $o->{iss}) : ()), verify_iat => $o->{iat});
}

get '/health' => {text => 'ok'};

under '/api' => sub ($c) {
  my ($token) = ($c->req->headers->authorization // '') =~ /^Bearer\s+(.+)$/i;
  unless (defined $token) {
    $c->res->headers->www_authenticate('Bearer realm="orders"');
    $c->render(json => {error => 'Authentication required'}, status => 401);
    return undef;
  }
  my $claims = eval { verify($token) };
  if (my $error = $@) {
    $error =~ s/ at \S+ line \d+\.?\s*\z//;
    $c->app->log->warn("JWT rejected: $error");
    $c->render(json => {error => $o->{quiet} ? 'Invalid token' : $error}, status => 401);
    return undef;
  }
  $c->stash(claims => $claims);
  return 1;
};

any ['GET', 'POST'] => '/orders' => sub ($c) { $c->render(json => {orders => [17], user => $c->stash('claims')->{sub}}) };
get '/orders/:id' => sub ($c) { $c->render(json => {id => $c->param('id')}) };
get '/me' => sub ($c) { $c->render(json => {user => $c->stash('claims')->{sub}}) };

app->start('daemon', '-l', "http://127.0.0.1:$o->{port}");
