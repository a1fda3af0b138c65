// The sources of the platform, in the order they run. A test compares this list with the folder.
#include "sl_platform.h"

// #embed is C23; SwiftPM compiles C as clang's default. The compiler lists embedded files as dependencies, so a changed source
// rebuilds this file.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const char primordials_js[] = {
#embed "../Platform/js/00_primordials.js"
};
static const char late_js[] = {
#embed "../Platform/js/01_late.js"
};
static const char builtins_js[] = {
#embed "../Platform/js/02_builtins.js"
};
static const char text_js[] = {
#embed "../Platform/js/03_text.js"
};
static const char serializable_js[] = {
#embed "../Platform/js/04_serializable.js"
};
static const char webidl_js[] = {
#embed "../Platform/js/04_webidl.js"
};
static const char errors_js[] = {
#embed "../Platform/js/05_errors.js"
};
static const char source_maps_js[] = {
#embed "../Platform/js/06_source_maps.js"
};
static const char stack_js[] = {
#embed "../Platform/js/07_stack.js"
};
static const char types_js[] = {
#embed "../Platform/js/08_types.js"
};
static const char inspect_js[] = {
#embed "../Platform/js/09_inspect.js"
};
static const char console_js[] = {
#embed "../Platform/js/10_console.js"
};
static const char limits_js[] = {
#embed "../Platform/js/11_limits.js"
};
static const char ring_js[] = {
#embed "../Platform/js/18_ring.js"
};
static const char trace_values_js[] = {
#embed "../Platform/js/19_trace_values.js"
};
static const char trace_js[] = {
#embed "../Platform/js/20_trace.js"
};
static const char trace_run_js[] = {
#embed "../Platform/js/20_trace_run.js"
};
static const char trace_server_js[] = {
#embed "../Platform/js/20_trace_server.js"
};
static const char otel_api_js[] = {
#embed "../Platform/js/21_otel_api.js"
};
static const char metrics_js[] = {
#embed "../Platform/js/22_metrics.js"
};
static const char async_hooks_js[] = {
#embed "../Platform/js/23_async_hooks.js"
};
static const char wasm_js[] = {
#embed "../Platform/js/24_wasm.js"
};
static const char propagation_js[] = {
#embed "../Platform/js/25_propagation.js"
};
static const char message_context_js[] = {
#embed "../Platform/js/26_message_context.js"
};
static const char findings_js[] = {
#embed "../Platform/js/27_findings.js"
};
static const char policy_js[] = {
#embed "../Platform/js/28_policy.js"
};
static const char timers_js[] = {
#embed "../Platform/js/30_timers.js"
};
static const char events_js[] = {
#embed "../Platform/js/32_events.js"
};
static const char global_events_js[] = {
#embed "../Platform/js/33_global_events.js"
};
static const char encoding_js[] = {
#embed "../Platform/js/34_encoding.js"
};
static const char url_host_js[] = {
#embed "../Platform/js/35_url_host.js"
};
static const char url_js[] = {
#embed "../Platform/js/36_url.js"
};
static const char url_api_js[] = {
#embed "../Platform/js/37_url_api.js"
};
static const char clone_js[] = {
#embed "../Platform/js/38_clone.js"
};
static const char streams_0_core_js[] = {
#embed "../Platform/js/39_streams_0_core.js"
};
static const char streams_1_readable_js[] = {
#embed "../Platform/js/39_streams_1_readable.js"
};
static const char streams_2_bytes_js[] = {
#embed "../Platform/js/39_streams_2_bytes.js"
};
static const char streams_3_derived_js[] = {
#embed "../Platform/js/39_streams_3_derived.js"
};
static const char streams_4_writable_js[] = {
#embed "../Platform/js/39_streams_4_writable.js"
};
static const char streams_5_pipe_js[] = {
#embed "../Platform/js/39_streams_5_pipe.js"
};
static const char streams_6_transform_js[] = {
#embed "../Platform/js/39_streams_6_transform.js"
};
static const char streams_6_transform_compression_js[] = {
#embed "../Platform/js/39_streams_6_transform_compression.js"
};
static const char streams_7_host_js[] = {
#embed "../Platform/js/39_streams_7_host.js"
};
static const char performance_js[] = {
#embed "../Platform/js/40_performance.js"
};
static const char blob_js[] = {
#embed "../Platform/js/41_blob.js"
};
static const char form_data_js[] = {
#embed "../Platform/js/41_form_data.js"
};
static const char headers_js[] = {
#embed "../Platform/js/41_headers.js"
};
static const char mime_js[] = {
#embed "../Platform/js/41_mime.js"
};
static const char body_js[] = {
#embed "../Platform/js/42_body.js"
};
static const char request_js[] = {
#embed "../Platform/js/42_request.js"
};
static const char response_js[] = {
#embed "../Platform/js/42_response.js"
};
static const char data_url_js[] = {
#embed "../Platform/js/43_data_url.js"
};
static const char fetch_span_js[] = {
#embed "../Platform/js/43_fetch_span.js"
};
static const char fetch_start_js[] = {
#embed "../Platform/js/43_fetch_start.js"
};
static const char object_url_js[] = {
#embed "../Platform/js/43_object_url.js"
};
static const char serve_js[] = {
#embed "../Platform/js/44_serve.js"
};
static const char pattern_parser_js[] = {
#embed "../Platform/js/45_pattern_parser.js"
};
static const char url_pattern_js[] = {
#embed "../Platform/js/45_url_pattern.js"
};
static const char cron_js[] = {
#embed "../Platform/js/46_cron.js"
};
static const char health_js[] = {
#embed "../Platform/js/46_health.js"
};
static const char scheduled_js[] = {
#embed "../Platform/js/46_scheduled.js"
};
static const char crypto_js[] = {
#embed "../Platform/js/47_crypto.js"
};
static const char messages_js[] = {
#embed "../Platform/js/47_messages.js"
};
static const char wasi_js[] = {
#embed "../Platform/js/47_wasi.js"
};
static const char worker_js[] = {
#embed "../Platform/js/48_worker.js"
};
static const char websocket_js[] = {
#embed "../Platform/js/49_websocket.js"
};
static const char process_js[] = {
#embed "../Platform/js/50_process.js"
};
static const char globals_js[] = {
#embed "../Platform/js/51_globals.js"
};
static const char navigator_js[] = {
#embed "../Platform/js/52_navigator.js"
};
static const char frozen_js[] = {
#embed "../Platform/js/54_frozen.js"
};
static const char start_js[] = {
#embed "../Platform/js/90_start.js"
};
static const char host_js[] = {
#embed "../Platform/js/95_host.js"
};

static const sl_platform_source sources[] = {
    {"00_primordials.js", primordials_js, sizeof primordials_js},
    {"01_late.js", late_js, sizeof late_js},
    {"02_builtins.js", builtins_js, sizeof builtins_js},
    {"03_text.js", text_js, sizeof text_js},
    {"04_serializable.js", serializable_js, sizeof serializable_js},
    {"04_webidl.js", webidl_js, sizeof webidl_js},
    {"05_errors.js", errors_js, sizeof errors_js},
    {"06_source_maps.js", source_maps_js, sizeof source_maps_js},
    {"07_stack.js", stack_js, sizeof stack_js},
    {"08_types.js", types_js, sizeof types_js},
    {"09_inspect.js", inspect_js, sizeof inspect_js},
    {"10_console.js", console_js, sizeof console_js},
    {"11_limits.js", limits_js, sizeof limits_js},
    {"18_ring.js", ring_js, sizeof ring_js},
    {"19_trace_values.js", trace_values_js, sizeof trace_values_js},
    {"20_trace.js", trace_js, sizeof trace_js},
    {"20_trace_run.js", trace_run_js, sizeof trace_run_js},
    {"20_trace_server.js", trace_server_js, sizeof trace_server_js},
    {"21_otel_api.js", otel_api_js, sizeof otel_api_js},
    {"22_metrics.js", metrics_js, sizeof metrics_js},
    {"23_async_hooks.js", async_hooks_js, sizeof async_hooks_js},
    {"24_wasm.js", wasm_js, sizeof wasm_js},
    {"25_propagation.js", propagation_js, sizeof propagation_js},
    {"26_message_context.js", message_context_js, sizeof message_context_js},
    {"27_findings.js", findings_js, sizeof findings_js},
    {"28_policy.js", policy_js, sizeof policy_js},
    {"30_timers.js", timers_js, sizeof timers_js},
    {"32_events.js", events_js, sizeof events_js},
    {"33_global_events.js", global_events_js, sizeof global_events_js},
    {"34_encoding.js", encoding_js, sizeof encoding_js},
    {"35_url_host.js", url_host_js, sizeof url_host_js},
    {"36_url.js", url_js, sizeof url_js},
    {"37_url_api.js", url_api_js, sizeof url_api_js},
    {"38_clone.js", clone_js, sizeof clone_js},
    {"39_streams_0_core.js", streams_0_core_js, sizeof streams_0_core_js},
    {"39_streams_1_readable.js", streams_1_readable_js, sizeof streams_1_readable_js},
    {"39_streams_2_bytes.js", streams_2_bytes_js, sizeof streams_2_bytes_js},
    {"39_streams_3_derived.js", streams_3_derived_js, sizeof streams_3_derived_js},
    {"39_streams_4_writable.js", streams_4_writable_js, sizeof streams_4_writable_js},
    {"39_streams_5_pipe.js", streams_5_pipe_js, sizeof streams_5_pipe_js},
    {"39_streams_6_transform.js", streams_6_transform_js, sizeof streams_6_transform_js},
    {"39_streams_6_transform_compression.js", streams_6_transform_compression_js, sizeof streams_6_transform_compression_js},
    {"39_streams_7_host.js", streams_7_host_js, sizeof streams_7_host_js},
    {"40_performance.js", performance_js, sizeof performance_js},
    {"41_blob.js", blob_js, sizeof blob_js},
    {"41_form_data.js", form_data_js, sizeof form_data_js},
    {"41_headers.js", headers_js, sizeof headers_js},
    {"41_mime.js", mime_js, sizeof mime_js},
    {"42_body.js", body_js, sizeof body_js},
    {"42_request.js", request_js, sizeof request_js},
    {"42_response.js", response_js, sizeof response_js},
    {"43_data_url.js", data_url_js, sizeof data_url_js},
    {"43_fetch_span.js", fetch_span_js, sizeof fetch_span_js},
    {"43_fetch_start.js", fetch_start_js, sizeof fetch_start_js},
    {"43_object_url.js", object_url_js, sizeof object_url_js},
    {"44_serve.js", serve_js, sizeof serve_js},
    {"45_pattern_parser.js", pattern_parser_js, sizeof pattern_parser_js},
    {"45_url_pattern.js", url_pattern_js, sizeof url_pattern_js},
    {"46_cron.js", cron_js, sizeof cron_js},
    {"46_health.js", health_js, sizeof health_js},
    {"46_scheduled.js", scheduled_js, sizeof scheduled_js},
    {"47_crypto.js", crypto_js, sizeof crypto_js},
    {"47_messages.js", messages_js, sizeof messages_js},
    {"47_wasi.js", wasi_js, sizeof wasi_js},
    {"48_worker.js", worker_js, sizeof worker_js},
    {"49_websocket.js", websocket_js, sizeof websocket_js},
    {"50_process.js", process_js, sizeof process_js},
    {"51_globals.js", globals_js, sizeof globals_js},
    {"52_navigator.js", navigator_js, sizeof navigator_js},
    {"54_frozen.js", frozen_js, sizeof frozen_js},
    {"90_start.js", start_js, sizeof start_js},
    {"95_host.js", host_js, sizeof host_js},
};

const sl_platform_source *sl_platform_sources(size_t *count) {
    *count = sizeof sources / sizeof *sources;
    return sources;
}
