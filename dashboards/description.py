"""What the dashboards and the rules show: the one description that `generate` makes them of.

In an expression `{@}` and `{@,x="y"}` stand for the series of the chosen instances, and `[@]` for a time that fits the panel; rules have neither. Every selector
has braces, so that the names of metrics can be read off: a test asks a running agent for each of them.
"""

import dataclasses


@dataclasses.dataclass
class Query:
    expr: str
    legend: str = "{{instance}}"


@dataclasses.dataclass
class Panel:
    title: str
    queries: list
    unit: str = "short"  # Grafana's name for it
    about: str = ""
    kind: str = "timeseries"  # or stat, heatmap
    width: int = 8  # of 24
    stack: bool = False
    limits: tuple = ()  # (value, colour): from there on
    max: float | None = None


@dataclasses.dataclass
class Row:
    title: str
    panels: list


@dataclasses.dataclass
class Dashboard:
    uid: str
    title: str
    about: str
    rows: list


@dataclasses.dataclass
class Record:
    name: str
    expr: str


@dataclasses.dataclass
class Alert:
    name: str
    expr: str
    wait: str
    severity: str
    summary: str
    about: str


def panel(title, expr, legend="{{instance}}", **options):
    return Panel(title, [Query(expr, legend)], **options)


def stat(title, expr, unit="short", **options):
    return Panel(title, [Query(expr, "")], unit, kind="stat", width=3, **options)


def quantile(part, metric, by=""):
    labels = "le, " + by if by else "le"
    return f"histogram_quantile({part}, sum by ({labels}) (rate({metric}_bucket{{@}}[@])))"


def latencies(metric):
    return [
        Query(quantile(0.5, metric), "p50"),
        Query(quantile(0.9, metric), "p90"),
        Query(quantile(0.99, metric), "p99"),
        Query(f"sum(rate({metric}_sum{{@}}[@])) / sum(rate({metric}_count{{@}}[@]))", "mean"),
    ]


SERVED = "http_server_request_duration_seconds"
FETCHED = "http_client_request_duration_seconds"
RED, YELLOW = "red", "orange"

OVERVIEW = Dashboard(
    "sidelight-overview", "Sidelight: overview", "All instances: what they serve, what it costs, and whether it is well.",
    [
        Row("Now", [
            stat("Requests", f"sum(rate({SERVED}_count{{@}}[@]))", "reqps"),
            stat("Errors", f'(sum(rate({SERVED}_count{{@,error_type!=""}}[@])) or vector(0)) / sum(rate({SERVED}_count{{@}}[@]))', "percentunit",
                 limits=((0.01, YELLOW), (0.05, RED)), about="Of the answers, those with a status from 500 on, and failures."),
            stat("p99", quantile(0.99, SERVED), "s"),
            stat("In flight", "sum(http_server_active_requests{@})"),
            stat("Isolates", "sum(sidelight_isolates{@})"),
            stat("CPUs", "sum(rate(process_cpu_time_seconds_total{@}[@]))", about="Used by the agents and their workers, all threads."),
            stat("Restarts", 'sum(increase(sidelight_worker_restarts_total{@,reason!="reload"}[1h]))', limits=((1, RED),),
                 about="Workers started in place of one that had ended unasked, in the last hour."),
            stat("Dropped", "sum(increase(sidelight_export_dropped_total{@}[1h]) or increase(sidelight_store_dropped_total{@}[1h]))",
                 limits=((1, RED),), about="Items that exporters and stores gave up in the last hour."),
        ]),
        Row("Requests", [
            panel("Requests", f"sum by (instance) (rate({SERVED}_count{{@}}[@]))", unit="reqps"),
            panel("Errors", f'sum by (instance) (rate({SERVED}_count{{@,error_type!=""}}[@]))', unit="reqps"),
            Panel("Latency", latencies(SERVED), "s"),
        ]),
        Row("Cost", [
            panel("CPU", "sum by (instance) (rate(process_cpu_time_seconds_total{@}[@]))", unit="short", about="CPUs used by the agent and its workers."),
            panel("Memory", "sum by (instance) (process_memory_usage_bytes{@})", unit="bytes", about="Resident, of the agent and its workers; shared pages count in each."),
            panel("CPU a request", f"sum by (instance) (rate(sidelight_isolate_cpu_time_seconds_total{{@}}[@])) / sum by (instance) (rate({SERVED}_count{{@}}[@]))", unit="s"),
        ]),
        Row("Health", [
            panel("Ready", "sidelight_health_ready{@}", max=1, about="1: what is served is ready for requests."),
            panel("Not well", 'max by (instance, component, status) (sidelight_health_status{@,status!="pass"})', "{{instance}} {{component}} {{status}}", max=1,
                  about="`sidelight health` says why."),
            panel("Registrations", "sum by (registry, state) (sidelight_registrations{@})", "{{registry}} {{state}}", about="In Consul, etcd, DNS-SD and files."),
        ]),
        Row("Machine", [
            panel("CPU", 'sum by (cpu_mode) (system_cpu_utilization_ratio{@,cpu_mode!="idle"})', "{{cpu_mode}}", unit="percentunit", stack=True, max=1, width=6),
            panel("Memory", "sum by (system_memory_state) (system_memory_usage_bytes{@})", "{{system_memory_state}}", unit="bytes", stack=True, width=6),
            Panel("Load", [Query("max by (instance) (system_cpu_load_average_1m{@})"), Query("max(system_cpu_logical_count{@})", "CPUs")], width=6),
            panel("Pressure", 'max by (sidelight_pressure_resource) (sidelight_system_pressure_average_ratio{@,sidelight_pressure_kind="some"})',
                  "{{sidelight_pressure_resource}}", unit="percentunit", width=6, about="Part of the last ten seconds in which some task waited for it (PSI)."),
            panel("Network", "sum by (network_io_direction) (rate(system_network_io_bytes_total{@}[@]))", "{{network_io_direction}}", unit="Bps"),
            panel("Disk", "sum by (disk_io_direction) (rate(system_disk_io_bytes_total{@}[@]))", "{{disk_io_direction}}", unit="Bps"),
            panel("File systems", "max by (instance, system_filesystem_mountpoint) (system_filesystem_utilization_ratio{@})",
                  "{{instance}} {{system_filesystem_mountpoint}}", unit="percentunit", max=1),
        ]),
    ],
)

WORKLOAD = Dashboard(
    "sidelight-workload", "Sidelight: workload", "What is served: routes, latency, connections, errors, and what a request costs.",
    [
        Row("Requests", [
            panel("By route", f"topk(10, sum by (http_request_method, http_route) (rate({SERVED}_count{{@}}[@])))", "{{http_request_method}} {{http_route}}", unit="reqps"),
            panel("By status", f"sum by (http_response_status_code) (rate({SERVED}_count{{@}}[@]))", "{{http_response_status_code}}", unit="reqps", stack=True),
            panel("Errors by type", f'sum by (error_type) (rate({SERVED}_count{{@,error_type!=""}}[@]))', "{{error_type}}", unit="reqps", stack=True),
        ]),
        Row("Latency", [
            Panel("Quantiles", latencies(SERVED), "s"),
            panel("p99 by route", f"topk(10, {quantile(0.99, SERVED, 'http_request_method, http_route')})", "{{http_request_method}} {{http_route}}", unit="s"),
            panel("Distribution", f"sum by (le) (increase({SERVED}_bucket{{@}}[@]))", "{{le}}", unit="s", kind="heatmap"),
        ]),
        Row("In flight and connections", [
            panel("In flight", "sum by (instance) (http_server_active_requests{@})"),
            Panel("Connections", [
                Query("sum(sidelight_http_server_connections_open{@})", "open"),
                Query("sum(rate(sidelight_http_server_connections_accepted_total{@}[@]))", "accepted a second"),
            ]),
            panel("Closed", "sum by (sidelight_reason) (rate(sidelight_http_server_connections_closed_total{@}[@]))", "{{sidelight_reason}}", unit="ops", stack=True),
            panel("Bytes", "sum by (network_io_direction) (rate(sidelight_http_server_io_bytes_total{@}[@]))", "{{network_io_direction}}", unit="Bps"),
            panel("TLS handshakes", "sum by (tls_resumed) (rate(sidelight_tls_server_handshakes_total{@}[@]))", "resumed: {{tls_resumed}}", unit="ops"),
            panel("TLS failures", "sum by (error_type) (rate(sidelight_tls_server_handshake_failures_total{@}[@]))", "{{error_type}}", unit="ops"),
        ]),
        Row("What goes wrong", [
            Panel("Refused and lost", [
                Query("sum by (http_response_status_code) (rate(sidelight_http_server_malformed_total{@}[@]))", "malformed {{http_response_status_code}}"),
                Query("sum(rate(sidelight_http_server_timeouts_total{@}[@]))", "took too long"),
                Query("sum(rate(sidelight_http_server_abandoned_total{@}[@]))", "client left"),
            ], "reqps"),
            panel("Uncaught errors", "sum by (instance) (rate(sidelight_unhandled_errors_total{@}[@]))", unit="ops"),
            panel("Restarts", "sum by (instance, reason) (increase(sidelight_worker_restarts_total{@}[@]))", "{{instance}} {{reason}}"),
        ]),
        Row("What it asks of others", [
            panel("Requests by server", f"topk(10, sum by (server_address, server_port) (rate({FETCHED}_count{{@}}[@])))", "{{server_address}}:{{server_port}}", unit="reqps"),
            panel("p99 by server", f"topk(10, {quantile(0.99, FETCHED, 'server_address, server_port')})", "{{server_address}}:{{server_port}}", unit="s"),
            panel("Errors", f'sum by (server_address, error_type) (rate({FETCHED}_count{{@,error_type!=""}}[@]))', "{{server_address}} {{error_type}}", unit="reqps"),
        ]),
        Row("A request", [
            panel("CPU", f"sum by (instance) (rate(sidelight_isolate_cpu_time_seconds_total{{@}}[@])) / sum by (instance) (rate({SERVED}_count{{@}}[@]))", unit="s"),
            panel("Collections", f"sum by (instance) (rate(v8js_gc_duration_seconds_sum{{@}}[@])) / sum by (instance) (rate({SERVED}_count{{@}}[@]))", unit="s"),
            panel("Bytes", f"sum by (network_io_direction) (rate(sidelight_http_server_io_bytes_total{{@}}[@])) / scalar(sum(rate({SERVED}_count{{@}}[@])))", "{{network_io_direction}}", unit="bytes"),
        ]),
    ],
)


def delay(name, legend):
    return Query(f"max(nodejs_eventloop_delay_{name}_seconds{{@}})", legend)


V8 = Dashboard(
    "sidelight-v8", "Sidelight: V8 and event loop", "Isolates from within: the event loop, collections, the heap, code.",
    [
        Row("Event loop", [
            Panel("Delay", [delay("p50", "p50"), delay("p90", "p90"), delay("p99", "p99"), delay("max", "max")], "s", about="How late a timer of 100 ms fires."),
            panel("Utilization", "nodejs_eventloop_utilization_ratio{@}", unit="percentunit", max=1),
            panel("Stalls", "sum by (instance) (rate(sidelight_eventloop_stalls_total{@}[@]))", unit="ops", about="Turns longer than 50 ms."),
            panel("Turns", "sum by (instance) (rate(sidelight_eventloop_turns_total{@}[@]))", unit="ops"),
            panel("Time", "sum by (nodejs_eventloop_state) (rate(nodejs_eventloop_time_seconds_total{@}[@]))", "{{nodejs_eventloop_state}}", unit="short", stack=True),
            panel("CPU of isolates", "sum by (instance) (rate(sidelight_isolate_cpu_time_seconds_total{@}[@]))"),
        ]),
        Row("Collections", [
            panel("Time in collections", "sum by (v8js_gc_type) (rate(v8js_gc_duration_seconds_sum{@}[@]))", "{{v8js_gc_type}}", unit="percentunit", stack=True),
            panel("Collections", "sum by (v8js_gc_type) (rate(v8js_gc_duration_seconds_count{@}[@]))", "{{v8js_gc_type}}", unit="ops", stack=True),
            panel("Mean pause", "sum by (v8js_gc_type) (rate(v8js_gc_duration_seconds_sum{@}[@])) / sum by (v8js_gc_type) (rate(v8js_gc_duration_seconds_count{@}[@]))", "{{v8js_gc_type}}", unit="s"),
        ]),
        Row("Heap", [
            Panel("Heap", [
                Query("sum(sidelight_heap_used_bytes{@})", "used"), Query("sum(sidelight_heap_total_bytes{@})", "committed"),
                Query("sum(sidelight_heap_external_bytes{@})", "external"), Query("sum(sidelight_heap_array_buffers_bytes{@})", "array buffers"),
            ], "bytes"),
            panel("Of the limit", "sidelight_heap_used_bytes{@} / sidelight_heap_limit_bytes{@}", unit="percentunit", limits=((0.75, YELLOW), (0.9, RED))),
            panel("Used by space", "sum by (v8js_heap_space_name) (v8js_memory_heap_used_bytes{@})", "{{v8js_heap_space_name}}", unit="bytes", stack=True),
            panel("Physical by space", "sum by (v8js_heap_space_name) (v8js_memory_heap_space_physical_size_bytes{@})", "{{v8js_heap_space_name}}", unit="bytes", stack=True),
            panel("Available by space", "sum by (v8js_heap_space_name) (v8js_memory_heap_space_available_size_bytes{@})", "{{v8js_heap_space_name}}", unit="bytes", stack=True),
            panel("Room by space", "sum by (v8js_heap_space_name) (v8js_memory_heap_limit_bytes{@})", "{{v8js_heap_space_name}}", unit="bytes", stack=True),
        ]),
        Row("Code and handles", [
            Panel("Code", [
                Query("sum(sidelight_v8_code_bytes{@})", "machine code"), Query("sum(sidelight_v8_bytecode_bytes{@})", "bytecode"),
                Query("sum(sidelight_v8_script_source_bytes{@})", "texts of scripts"),
            ], "bytes", about="Read every ten seconds, of heaps up to 32 MiB."),
            Panel("Global handles", [
                Query("sum(sidelight_v8_global_handles_used_bytes{@})", "used"), Query("sum(sidelight_v8_global_handles_size_bytes{@})", "set aside"),
            ], "bytes"),
            panel("Outside of the heap", "sum by (instance) (sidelight_v8_malloced_bytes{@})", unit="bytes", about="What V8 itself has allocated."),
            Panel("Contexts", [
                Query("sum(sidelight_v8_contexts_native{@})", "native"), Query("sum(sidelight_v8_contexts_detached{@})", "detached"),
            ], about="Detached ones that stay are a leak."),
            Panel("Timers and workers", [
                Query("sum(sidelight_timers_active{@})", "timers"), Query("sum(sidelight_workers_active{@})", "child workers"),
            ]),
            panel("Isolates", "sidelight_isolates{@}"),
        ]),
    ],
)


PIPELINE = Dashboard(
    "sidelight-pipeline", "Sidelight: pipeline", "Telemetry on its way: receivers, processors, queues, exporters, the store.",
    [
        Row("Now", [
            stat("Received", "sum(rate(sidelight_receiver_items_total{@}[@]))", "ops"),
            stat("Sent", "sum(rate(sidelight_export_sent_total{@}[@]))", "ops"),
            stat("Stored", "sum(rate(sidelight_store_written_total{@}[@]))", "ops"),
            stat("Waiting", "sum(sidelight_export_queued{@})"),
            stat("On disk", "sum(sidelight_queue_bytes{@})", "bytes"),
            stat("Dropped", "sum(increase(sidelight_export_dropped_total{@}[1h]))", limits=((1, RED),), about="By exporters in the last hour."),
            stat("Memory", "max(sidelight_memory_used_bytes{@} / sidelight_memory_max_bytes{@})", "percentunit", limits=((0.8, YELLOW), (0.95, RED)), about="Of the agent's budget."),
            stat("Reloads refused", 'sum(increase(sidelight_config_reloads_total{@,outcome="refused"}[1h]))', limits=((1, RED),)),
        ]),
        Row("In", [
            panel("Requests", "sum by (receiver, outcome) (rate(sidelight_receiver_requests_total{@}[@]))", "{{receiver}} {{outcome}}", unit="reqps"),
            panel("Items", "sum by (receiver) (rate(sidelight_receiver_items_total{@}[@]))", "{{receiver}}", unit="ops", stack=True),
            panel("Left out", "sum by (receiver) (rate(sidelight_receiver_rejected_total{@}[@]))", "{{receiver}}", unit="ops", about="Malformed items of requests that were accepted."),
            panel("Connections", "sum by (instance) (rate(sidelight_server_connections_total{@}[@]))", unit="ops"),
            panel("Refused", "sum by (reason) (rate(sidelight_server_refused_total{@}[@]))", "{{reason}}", unit="ops"),
            panel("Without a pipeline", "sum by (signal) (rate(sidelight_unrouted_dropped_total{@}[@]))", "{{signal}}", unit="ops"),
        ]),
        Row("Processors", [
            panel("Taken", "sum by (pipeline, processor) (rate(sidelight_processor_received_total{@}[@]))", "{{pipeline}} {{processor}}", unit="ops", width=12),
            panel("Dropped", "sum by (pipeline, processor, reason) (rate(sidelight_processor_dropped_total{@}[@]))", "{{pipeline}} {{processor}} {{reason}}", unit="ops", width=12),
        ]),
        Row("Out", [
            panel("Sent", "sum by (exporter, signal) (rate(sidelight_export_sent_total{@}[@]))", "{{exporter}} {{signal}}", unit="ops"),
            panel("Waiting", "sum by (exporter, signal) (sidelight_export_queued{@})", "{{exporter}} {{signal}}"),
            panel("Dropped", "sum by (exporter, reason) (rate(sidelight_export_dropped_total{@}[@]))", "{{exporter}} {{reason}}", unit="ops"),
            Panel("Requests", [
                Query("sum by (exporter) (rate(sidelight_export_requests_total{@}[@]))", "{{exporter}}"),
                Query("sum by (exporter) (rate(sidelight_export_retries_total{@}[@]))", "{{exporter}} again"),
            ], "reqps"),
            panel("Queues on disk", "sum by (exporter) (sidelight_queue_bytes{@})", "{{exporter}}", unit="bytes"),
            panel("Queue failures", "sum by (exporter) (rate(sidelight_queue_failures_total{@}[@]))", "{{exporter}}", unit="ops", about="Times a queue could not be written; the senders were told 503."),
        ]),
        Row("Store and rings", [
            panel("Written", "sum by (signal) (rate(sidelight_store_written_total{@}[@]))", "{{signal}}", unit="ops", stack=True),
            panel("Dropped", "sum by (signal, reason) (rate(sidelight_store_dropped_total{@}[@]))", "{{signal}} {{reason}}", unit="ops"),
            Panel("Rings", [
                Query("sum by (kind) (rate(sidelight_ring_dropped_total{@}[@]))", "no room: {{kind}}"),
                Query("sum by (reason) (rate(sidelight_records_rejected_total{@}[@]))", "malformed: {{reason}}"),
            ], "ops", about="Records of workers that did not come through."),
        ]),
    ],
)

DASHBOARDS = [OVERVIEW, WORKLOAD, V8, PIPELINE]

RECORDS = [
    Record("instance:http_server_requests:rate5m", f"sum by (job, instance) (rate({SERVED}_count{{}}[5m]))"),
    Record("instance:http_server_errors:rate5m", f'sum by (job, instance) (rate({SERVED}_count{{error_type!=""}}[5m]))'),
    Record("instance:http_server_request_duration_seconds:p99_5m",
           f"histogram_quantile(0.99, sum by (job, instance, le) (rate({SERVED}_bucket{{}}[5m])))"),
    Record("instance:sidelight_heap:ratio", "sum by (job, instance) (sidelight_heap_used_bytes{}) / sum by (job, instance) (sidelight_heap_limit_bytes{})"),
    Record("instance:sidelight_dropped_items:rate5m",
           "sum by (job, instance) (rate(sidelight_export_dropped_total{}[5m]) or rate(sidelight_store_dropped_total{}[5m]))"),
]

ALERTS = [
    Alert("SidelightDown", 'up{job=~"sidelight.*"} == 0', "2m", "critical", "{{ $labels.instance }} does not answer",
          "Prometheus has had no answer from its admin port for two minutes."),
    Alert("SidelightErrors", "instance:http_server_errors:rate5m{} / instance:http_server_requests:rate5m{} > 0.05", "5m", "critical",
          "{{ $value | humanizePercentage }} of the answers of {{ $labels.instance }} are errors",
          "`sidelight errors` has them in groups, each with the trace of its latest occurrence."),
    Alert("SidelightSlow", "instance:http_server_request_duration_seconds:p99_5m{} > 1", "10m", "warning",
          "one request of {{ $labels.instance }} in a hundred takes {{ $value | humanizeDuration }}",
          "`sidelight trace ls --min-duration 1s` lists slow ones; stalls of the event loop are events in them."),
    Alert("SidelightNoIsolate", "sidelight_isolates{} == 0", "1m", "critical", "nothing serves on {{ $labels.instance }}",
          "Its workers are gone, and the agent waits before it starts them again: its messages say why they ended."),
    Alert("SidelightNotReady", "sidelight_health_ready{} == 0", "5m", "warning", "{{ $labels.instance }} is not ready",
          "`sidelight health` and `/readyz?verbose` name the components and why."),
    Alert("SidelightRestarts", 'sum by (job, instance) (increase(sidelight_worker_restarts_total{reason!="reload"}[15m])) > 3', "0m", "warning",
          "workers of {{ $labels.instance }} were started again {{ $value | humanize }} times in a quarter of an hour",
          "The label `reason` says how they ended."),
    Alert("SidelightEventLoopBlocked", "nodejs_eventloop_delay_p99_seconds{} > 0.1", "5m", "warning",
          "the event loop of {{ $labels.instance }} is late by {{ $value | humanizeDuration }}",
          "Handlers keep the loop. `sidelight profile` says which."),
    Alert("SidelightHeapNearLimit", "instance:sidelight_heap:ratio{} > 0.9", "5m", "warning",
          "the heap of {{ $labels.instance }} is {{ $value | humanizePercentage }} full",
          "A worker whose heap is full ends and is replaced. `sidelight profile --heap` writes a snapshot."),
    Alert("SidelightDrops", "instance:sidelight_dropped_items:rate5m{} > 0", "5m", "warning",
          "{{ $labels.instance }} drops {{ $value | humanize }} items a second", "`sidelight drops` says which, where and why."),
    Alert("SidelightExporterStuck",
          "sum by (job, instance, exporter) (sidelight_export_queued{}) > 0 and sum by (job, instance, exporter) (rate(sidelight_export_sent_total{}[10m])) == 0",
          "10m", "warning", "exporter {{ $labels.exporter }} of {{ $labels.instance }} has delivered nothing for ten minutes",
          "Its backend does not take what waits. What is queued on disk is kept until it does."),
    Alert("SidelightRegistrationFailing", 'sum by (job, instance, registry) (sidelight_registrations{state="failing"}) > 0', "5m", "warning",
          "{{ $labels.registry }} has not taken the registration of {{ $labels.instance }} for five minutes",
          "Others do not find it there, or will not for long. `sidelight health` says why."),
    Alert("SidelightDiskFull", "max by (job, instance, system_filesystem_mountpoint) (system_filesystem_utilization_ratio{}) > 0.95", "10m", "warning",
          "{{ $labels.system_filesystem_mountpoint }} of {{ $labels.instance }} is {{ $value | humanizePercentage }} full",
          "Stores and queues need room: a full disk makes the receivers answer 503."),
]
