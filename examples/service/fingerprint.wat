;; FNV-1a, 32 bits, over the first $length bytes of the memory, going on from $hash. fingerprint.js has this module assembled.
(module
  (memory (export "memory") 1)
  (func (export "fnv1a") (param $length i32) (param $hash i32) (result i32)
    (local $at i32)
    (block
      (loop
        (br_if 1 (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $hash
          (i32.mul (i32.xor (local.get $hash) (i32.load8_u (local.get $at))) (i32.const 16777619)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br 0)))
    (local.get $hash)))
