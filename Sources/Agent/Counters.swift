// Every `sidelight_*` name there is, in one place. docs/specs/telemetry.md describes each; a test compares the two.

public import Telemetry

/// A name of the agent's telemetry about itself.
public enum CounterName: String, CaseIterable, Sendable {
    case recordsReceived = "sidelight_records_received_total"
    case recordsRejected = "sidelight_records_rejected_total"
    case ringDropped = "sidelight_ring_dropped_total"
    case ringBroken = "sidelight_ring_broken_total"
    case ringWakes = "sidelight_ring_wakes_total"
    case openSpansUntracked = "sidelight_open_spans_untracked_total"
    case openSpansClosed = "sidelight_open_spans_closed_total"
    case itemsReceived = "sidelight_items_received_total"
    case exportSent = "sidelight_export_sent_total"
    case exportDropped = "sidelight_export_dropped_total"
    case exportQueued = "sidelight_export_queued"
    case exportRequests = "sidelight_export_requests_total"
    case exportRetries = "sidelight_export_retries_total"
    case storeWritten = "sidelight_store_written_total"
    case storeDropped = "sidelight_store_dropped_total"
    case storeQueued = "sidelight_store_queued"
    case storeUnindexed = "sidelight_store_unindexed_total"
    case workerEnds = "sidelight_worker_ends_total"
    case workerRestarts = "sidelight_worker_restarts_total"
    case boardSlotsRejected = "sidelight_board_slots_rejected_total"
    case policyViolations = "sidelight_policy_violations_total"
    case policyAudits = "sidelight_policy_audits_total"
    case limitHits = "sidelight_limit_hits_total"
    case receiverRequests = "sidelight_receiver_requests_total"
    case receiverItems = "sidelight_receiver_items_total"
    case receiverRejected = "sidelight_receiver_rejected_total"
    case logLines = "sidelight_log_lines_total"
    case logCutBytes = "sidelight_log_cut_bytes_total"
    case logInputBytes = "sidelight_log_input_bytes_total"
    case logInputReplaced = "sidelight_log_input_replaced_total"
    case logInputDropped = "sidelight_log_input_dropped_total"
    case logInputConnections = "sidelight_log_input_connections"
    case logInputRefused = "sidelight_log_input_refused_total"
    case logInputRestarts = "sidelight_log_input_restarts_total"
    case tailBytes = "sidelight_tail_bytes_total"
    case tailLines = "sidelight_tail_lines_total"
    case tailMissed = "sidelight_tail_missed_bytes_total"
    case tailInvalid = "sidelight_tail_invalid_bytes_total"
    case tailNul = "sidelight_tail_nul_bytes_total"
    case tailCutLines = "sidelight_tail_cut_lines_total"
    case tailCutBytes = "sidelight_tail_cut_bytes_total"
    case tailChanges = "sidelight_tail_changes_total"
    case tailFailures = "sidelight_tail_failures_total"
    case tailLeftOut = "sidelight_tail_left_out_total"
    case tailFiles = "sidelight_tail_files"
    case tailLag = "sidelight_tail_lag_bytes"
    case tailFileLag = "sidelight_tail_file_lag_bytes"
    case positionFailures = "sidelight_position_failures_total"
    case unrouted = "sidelight_unrouted_dropped_total"
    case processorReceived = "sidelight_processor_received_total"
    case processorHeld = "sidelight_processor_held"
    case processorDropped = "sidelight_processor_dropped_total"
    case processorChanges = "sidelight_processor_changes_total"
    case intakeReceived = "sidelight_intake_received_total"
    case intakeRecovered = "sidelight_intake_recovered_total"
    case intakeTaken = "sidelight_intake_taken_total"
    case intakeDropped = "sidelight_intake_dropped_total"
    case intakeQueued = "sidelight_intake_queued"
    case intakeBytes = "sidelight_intake_bytes"
    case exportReceived = "sidelight_export_received_total"
    case exportRecovered = "sidelight_export_recovered_total"
    case lookups = "sidelight_export_lookups_total"
    case endpoints = "sidelight_export_endpoints"
    case queueBytes = "sidelight_queue_bytes"
    case queueEntries = "sidelight_queue_entries"
    case queueFailures = "sidelight_queue_failures_total"
    case memoryUsed = "sidelight_memory_used_bytes"
    case memoryMax = "sidelight_memory_max_bytes"
    case reloads = "sidelight_config_reloads_total"
    case registrations = "sidelight_registrations"
    case registryAnswers = "sidelight_registry_answers_total"
    case serverConnections = "sidelight_server_connections_total"
    case serverRequests = "sidelight_server_requests_total"
    case serverRefused = "sidelight_server_refused_total"
    case pageSeries = "sidelight_metrics_series"
    case pageDropped = "sidelight_metrics_dropped_total"
    case healthReady = "sidelight_health_ready"
    case healthStatus = "sidelight_health_status"
    case healthChanges = "sidelight_health_changes_total"
    case healthFlapping = "sidelight_health_flapping"
    case healthChecks = "sidelight_health_checks_total"
    case auditEntries = "sidelight_audit_entries_total"
    case auditLost = "sidelight_audit_lost_total"
    case auditFailures = "sidelight_audit_failures_total"
}

extension CounterName {
    /// Else it is a gauge.
    var isCounter: Bool { rawValue.hasSuffix("_total") }
}

/// Values by name and labels, as read at one moment.
public struct Counters: Sendable {
    public struct Key: Hashable, Sendable {
        public var name: CounterName
        /// In the order telemetry.md lists them.
        public var labels: [Label]
    }

    public struct Label: Hashable, Sendable {
        public var name: String
        public var value: String
    }

    public private(set) var values: [Key: UInt64] = [:]

    public init() {}

    /// Adds to one. One that has not counted yet is there all the same, with 0, so that a rate over it sees its first count.
    public mutating func add(
        _ name: CounterName, _ labels: KeyValuePairs<String, String> = [:], _ value: some BinaryInteger
    ) {
        values[Key(name: name, labels: labels.map { Label(name: $0.key, value: $0.value) }), default: 0] += UInt64(
            clamping: value)
    }

    /// The sum over all labels that contain the given ones.
    public func sum(_ name: CounterName, _ labels: KeyValuePairs<String, String> = [:]) -> UInt64 {
        let wanted = labels.map { Label(name: $0.key, value: $0.value) }
        return values.reduce(0) { sum, entry in
            entry.key.name == name && wanted.allSatisfy(entry.key.labels.contains) ? sum + entry.value : sum
        }
    }

    /// As points of metrics.
    /// - Parameter time: Unix nanoseconds.
    public func points(time: UInt64) -> [MetricPoint] {
        values.map { key, value in
            MetricPoint(
                instrument: MetricPoint.Instrument(
                    name: key.name.rawValue, description: key.name.help,
                    type: key.name.isCounter ? .counter : .upDownCounter,
                    isInteger: true),
                attributes: key.labels.map { Attribute($0.name, .string($0.value)) }, startTime: 0, time: time,
                value: Double(value))
        }
    }

    /// In a fixed order, for printing.
    public var sorted: [(key: Key, value: UInt64)] {
        func text(_ key: Key) -> String { key.description }
        return values.map { ($0.key, $0.value) }.sorted { text($0.0) < text($1.0) }
    }
}

extension Counters.Key: CustomStringConvertible {
    /// As in Prometheus' text format: `name{label="value"}`.
    public var description: String {
        guard !labels.isEmpty else { return name.rawValue }
        return name.rawValue + "{" + labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
            + "}"
    }

    private static func escaped(_ value: String) -> String {
        guard value.contains(where: { $0 == "\\" || $0 == "\"" || $0 == "\n" }) else { return value }
        var escaped = ""
        for character in value {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
