# Two spans by the Jaeger client for Ruby, sent to the collector's address in ARGV[0]; then one as OTLP by Net::HTTP, which the OpenTelemetry SDK for Ruby sends with, in ARGV[1].
require 'jaeger/client'
require 'zlib'

logger = Logger.new($stderr)
encoder = Jaeger::Encoders::ThriftEncoder.new(service_name: 'shop', tags: { 'zone' => 'b' }, logger: logger)
sender = Jaeger::HttpSender.new(url: ARGV[0], encoder: encoder, headers: { 'X-Tenant' => 'shop' }, logger: logger)
reporter = Jaeger::Reporters::InMemoryReporter.new
tracer = Jaeger::Client.build(service_name: 'shop', reporter: reporter)
tracer.start_active_span('POST /cart', tags: { 'span.kind' => 'server', 'http.status_code' => 500, 'ratio' => 0.25, 'error' => true }) do |outer|
  outer.span.log_kv(event: 'retry', attempt: 2)
  tracer.start_active_span('charge', tags: { 'span.kind' => 'client', 'text' => 'ü' * 300 }) {}
end
sender.send_spans(reporter.spans)

http = Net::HTTP.new('127.0.0.1', URI(ARGV[1]).port)
http.keep_alive_timeout = 30
http.start
2.times do
  request = Net::HTTP::Post.new('/v1/traces')
  request.body = Zlib.gzip(File.binread(ARGV[2]))
  request.add_field('Content-Encoding', 'gzip')
  request.add_field('Content-Type', 'application/x-protobuf')
  request.add_field('User-Agent', 'OTel-OTLP-Exporter-Ruby/0.30.0 Ruby/3.1.2 (x86_64-linux; ruby)')
  answer = http.request(request)
  abort "#{answer.code} #{answer.body}" unless answer.is_a?(Net::HTTPOK)
end
