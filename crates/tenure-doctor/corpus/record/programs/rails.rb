# An orders API with Rails and ruby-jwt in one file; OPTIONS (JSON in the environment) says what is wrong.
require "json"
require "logger"
require "net/http"
require "securerandom"
require "rails"
require "action_controller/railtie"
require "jwt"
require "puma"
require "rack/handler/puma"

OPTIONS = { "secret" => "", "algorithms" => ["HS256"], "audience" => nil, "issuer" => nil, "jwks" => nil, "csrf" => false,
            "leeway" => 0, "reasons" => true, "roles" => "roles", "keep" => false, "origin" => true, "session_secret" => "d" * 64 }.merge(JSON.parse(ENV["OPTIONS"]))
SECRET = OPTIONS["secret_file"] ? File.read(OPTIONS["secret_file"]) : OPTIONS["secret"]
$stdout.sync = true

class Orders < Rails::Application
  config.load_defaults 6.1
  config.eager_load = false
  config.root = File.dirname(File.realpath(__FILE__))
  config.consider_all_requests_local = false
  config.hosts.clear
  config.secret_key_base = OPTIONS["session_secret"] == "random" ? SecureRandom.hex(64) : OPTIONS["session_secret"]
  config.logger = ActiveSupport::TaggedLogging.new(Logger.new($stdout, formatter: Logger::Formatter.new))
  config.log_level = :info
  config.log_tags = [:request_id]
  config.session_store :cookie_store, key: "_orders_session"
  config.action_controller.allow_forgery_protection = OPTIONS["csrf"]
  config.action_controller.forgery_protection_origin_check = OPTIONS["origin"]
  routes.append do
    get "/health", to: proc { [200, { "Content-Type" => "text/plain" }, ["ok"]] }
    get "/api/orders", to: "orders#index"
    get "/api/orders/:id", to: "orders#index"
    get "/api/me", to: "orders#index"
    post "/api/orders", to: "orders#create"
    get "/api/admin/reports", to: "reports#index"
    get "/magic_link", to: "sessions#create"
    get "/account", to: "sessions#show"
    post "/account", to: "sessions#update"
  end
end

class ApplicationController < ActionController::Base
  protect_from_forgery with: :exception if OPTIONS["csrf"]
end

class SessionsController < ApplicationController
  def create
    reset_session
    session[:user] = params[:user]
    render json: { user: session[:user], csrf: form_authenticity_token }
  end

  def show
    return render(json: { error: "sign in first" }, status: :unauthorized) unless session[:user]
    render json: { user: session[:user] }
  end

  def update
    show
  end
end

class ApiController < ApplicationController
  before_action :authenticate

  def keys
    lambda do |options|
      $set = nil if options[:invalidate] && !OPTIONS["keep"]
      $set ||= JSON.parse(Net::HTTP.get(URI(OPTIONS["jwks"])), symbolize_names: true)
    end
  end

  def authenticate
    token = request.headers["Authorization"].to_s[/\ABearer (.+)\z/i, 1]
    return deny("Missing token") unless token
    rules = { algorithms: OPTIONS["algorithms"], leeway: OPTIONS["leeway"], aud: OPTIONS["audience"], verify_aud: !OPTIONS["audience"].nil?,
              iss: OPTIONS["issuer"], verify_iss: !OPTIONS["issuer"].nil?, verify_iat: true }
    rules[:jwks] = keys if OPTIONS["jwks"]
    @claims, = JWT.decode(token, OPTIONS["jwks"] ? nil : SECRET, true, rules)
  rescue JWT::DecodeError, JWT::JWKError => e
    logger.warn "[auth] #{e.class}: #{e.message}"
    deny(e.message, e.class.name)
  end

  def deny(message, kind = nil)
    response.set_header("WWW-Authenticate", 'Bearer realm="Orders"')
    render json: OPTIONS["reasons"] ? { error: message, type: kind }.compact : { error: "Unauthorized" }, status: :unauthorized
  end
end

class OrdersController < ApiController
  def index
    render json: { orders: [{ id: 17, total: "12.50" }], user: @claims["sub"] }
  end

  def create
    render json: { id: 18 }, status: :created
  end
end

class ReportsController < ApiController
  def index
    roles = Array(@claims.dig(*OPTIONS["roles"].split(".")))
    return render(json: { error: "You are not authorized to perform this action." }, status: :forbidden) unless roles.include?("admin")
    render json: { reports: [] }
  end
end

Rails.application.initialize!
Rack::Handler::Puma.run(Rails.application, Port: OPTIONS["port"], Host: "127.0.0.1", Threads: "1:4", Silent: false)
