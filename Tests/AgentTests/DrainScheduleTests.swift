import Testing

@testable import Agent

@Suite struct DrainScheduleTests {
    private let capacity = 4 << 20

    @Test func asleepItWaitsForTheFirstByte() {
        let schedule = DrainSchedule(ringCapacity: capacity)
        #expect(schedule.wakeAfterBytes == 1)
        #expect(schedule.sleepNanoseconds(now: 5) == DrainSchedule.asleepNanosecondsMax)
    }

    @Test func awakeItComesBackByItselfAndLetsAQuarterOfTheRingFill() {
        var schedule = DrainSchedule(ringCapacity: capacity)
        schedule.drained(bytes: 64, pendingItems: 0, now: 5)
        #expect(schedule.wakeAfterBytes == capacity / 4)
        #expect(schedule.sleepNanoseconds(now: 5) == DrainSchedule.pauseNanoseconds)
    }

    @Test func aPauseThatBringsNothingPutsItToSleep() {
        var schedule = DrainSchedule(ringCapacity: capacity)
        schedule.drained(bytes: 64, pendingItems: 0, now: 0)
        schedule.drained(bytes: 0, pendingItems: 0, now: 10)
        #expect(schedule.wakeAfterBytes == 1)
        #expect(schedule.sleepNanoseconds(now: 10) == DrainSchedule.asleepNanosecondsMax)
    }

    @Test func aPacedLoadCostsAtMostAHundredWakeUpsASecond() {
        var schedule = DrainSchedule(ringCapacity: capacity)
        var now: UInt64 = 0
        var wakes = 0
        while now < 1_000_000_000 {
            wakes += 1
            schedule.drained(bytes: 4000, pendingItems: 10, now: now)
            if schedule.isDue(pendingBytes: 0, now: now) { schedule.handedOn() }
            now += schedule.sleepNanoseconds(now: now)
        }
        #expect(wakes <= 110)
    }

    @Test func whatWasTakenIsHandedOnWhenOldOrBig() {
        var schedule = DrainSchedule(ringCapacity: capacity)
        schedule.drained(bytes: 64, pendingItems: 1, now: 1000)
        #expect(!schedule.isDue(pendingBytes: 64, now: 1000))
        #expect(schedule.isDue(pendingBytes: DrainSchedule.bytesMax, now: 1000))
        schedule.drained(bytes: 64, pendingItems: 2, now: 50_000)
        #expect(schedule.isDue(pendingBytes: 128, now: 1000 + DrainSchedule.ageNanosecondsMax))
    }

    @Test func asleepItStillWakesToHandOn() {
        var schedule = DrainSchedule(ringCapacity: capacity)
        schedule.drained(bytes: 64, pendingItems: 1, now: 0)
        schedule.drained(bytes: 0, pendingItems: 1, now: 10)
        #expect(schedule.sleepNanoseconds(now: 10) == DrainSchedule.ageNanosecondsMax - 10)
        #expect(schedule.sleepNanoseconds(now: DrainSchedule.ageNanosecondsMax + 5) == 0)
        schedule.handedOn()
        #expect(
            schedule.sleepNanoseconds(now: DrainSchedule.ageNanosecondsMax + 5) == DrainSchedule.asleepNanosecondsMax)
    }
}
