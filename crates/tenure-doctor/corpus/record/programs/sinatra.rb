# An orders API with Sinatra and ruby-jwt; OPTIONS (JSON in the environment) says what is wrong.
require "json"
require "jwt"
require "sinatra/base"
require "puma"

OPTIONS = { "secret" => nil, "pem" => nil, "algorithm" => "HS256", "audience" => nil, "protection" => true, "loud" => true }.merge(JSON.parse(ENV["OPTIONS"]))
KEY = OPTIONS["pem"] ? OpenSSL::PKey.read(OPTIONS["pem"]) : OPTIONS["secret"]
$stderr.sync = $stdout.sync = true

class Orders < Sinatra::Base
  set port: OPTIONS["port"], bind: "127.0.0.1", server: "puma", environment: :production, logging: true, show_exceptions: false
  OPTIONS["protection"] ? set(:protection, reaction: :deny) : disable(:protection)

  before "/api/*" do
    content_type :json
    headers "Access-Control-Allow-Origin" => request.env["HTTP_ORIGIN"], "Vary" => "Origin" if request.env["HTTP_ORIGIN"]
    halt 204, { "Access-Control-Allow-Methods" => "GET, POST", "Access-Control-Allow-Headers" => "authorization, content-type" }, "" if request.options?
    begin
      pattern = /^Bearer /i
      header = request.env["HTTP_AUTHORIZATION"]
      halt 401, { "WWW-Authenticate" => "Bearer" }, { message: "You must be logged in" }.to_json unless header.to_s.match?(pattern)
      @claims, = JWT.decode(header.sub(pattern, ""), KEY, true, algorithm: OPTIONS["algorithm"], aud: OPTIONS["audience"], verify_aud: !OPTIONS["audience"].nil?)
    rescue JWT::DecodeError => e
      logger.warn("#{e.class}: #{e.message}") if OPTIONS["loud"]
      halt 401, { "WWW-Authenticate" => "Bearer" }, { message: "Invalid credentials" }.to_json
    end
  end

  get("/health") { "ok" }
  get("/api/me") { { id: @claims["sub"] }.to_json }
  get("/api/orders") { [{ id: 17, total: "12.50" }].to_json }
  get("/api/orders/:id") { { id: params["id"].to_i, total: "12.50" }.to_json }
  post("/api/orders") { [201, { id: 18 }.to_json] }
end

Orders.run!
