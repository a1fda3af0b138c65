// What subtle.mjs works with: keys made for it, and what they have made of 'the message' where that is not the same every time.
export const keys = {
    'rsa': { kty: 'RSA', n: 'u3rM0rvHs_q8Qh9mmomHCZ3ikMuX5-x0bSe5ugPULuTLGIBHryrGx3tFmKHRIOhUo6pD2YQdMEOg4r251K_sq3gYfcEJ3rxWPXaWJNvDWYP3RNWjXRUXKr2mF70JxVmQp8vyrgmw1A2Jv9QCJWSWdOTJLXyuWSoqPE10bDkfM0E', e: 'AQAB', d: 'tfPvl9Khdf6x-WaqWO-CvIWcHzVI_9EQCeRVL8CJjN2GcwgFCm90rqPoHsNlyQ9THeigoxnCjlYEbir-kPoQsYmgLZWs9ttA7B148VxHZ4zvXlt9trl_v3HmUAYbkh3Rh6OfFcAWUSGuOEqMPzn5HBlrCfDAUTLkvnkDZLu-rwE', p: '92VKLEJLjEkgJvCGfW4RwzX2-DSi3DdiwzlFmSBlLjp1TuZMDOREgnIVoeVf64R-_j9IV7ziK9gJFeOhp5IlsQ', q: 'wgAK-7JTX3sYhyxlJoSAGncQlluKRwP6DoSfw4CRYislS1_5IrugmLoo6zZwTnEUTlveneq1El1ysZyDPFn6kQ', dp: 'MKt3nR9pt26HacG146Usz2elb40DYSlwP5Hb1FUgMqkDfQMngP3DUJpbER-L8Ex_o0sV01Twdcmpd-nxWoMQ8Q', dq: 'hHGPDgLSlI7vUelnLQKsimTa-CuKna0DXEIC6G-v0XtvPKRK7AF4RIxjPyGtToA4wr5JnzoLYHxXvxYBKoSrYQ', qi: 'dyzyLXAEr-4syKdA4dGBKXSQeDRw4vmQq9ij5DBiJGfkYOfMQaxrwoHdh1O_-XCh31eBjXcU6cpp0YQsFF-b7w' },
    'P-256': { kty: 'EC', x: 'abdTDJtZ34HKvE_jsYW343q9K5t-sIEEHWWTgLY-6ZU', y: 'vP8oFD_HLfojX4OD2Ibr2tDegkXxwLIESHuQQNKH_W4', crv: 'P-256', d: 'YG6A0i4oHhi2tZHWdChu8aHAxcxtbBwFnthSwlIPVik' },
    'P-384': { kty: 'EC', x: 'VWO7w1OKZAXoX7Rk-Uz8ivRwToMUpScpKbq5I9sKrvZ4jSehJCC0tRRSMkwkVtBj', y: 'aMtHWMZfVoSg00agiQohUxuoziaPIOW-G3A87Lr5b_crDeMX227_dGEEp7Y8PLHV', crv: 'P-384', d: '9jWmt0cIiQwAZdmgxXLtmuFfRnOdJ6MFQG3h-gS0hJFuqj0WmZKdqezTAZytu7WD' },
    'P-521': { kty: 'EC', x: 'AdaH82jChT1xE-WpemcRj6DVMQcFEJxQLO6n7Y2LbAFOgMu9cc3OxSJepD9kC-nSdr74Z3bMK4FnQFIgDhqq8AuE', y: 'AP2F1m75wWKa7Qs6rxBszNANM2vrZgT7uyFHLwA5t9PUvQL-MITnr2a8nTZxSCknVP70NfzC_cMloj6hvX2CUwqG', crv: 'P-521', d: 'ARMu1HSiTe4Z6eYBLawxSJZ9JzdU5gKagv47eoBC7-8y7pMNyOVsFNhNHdo2Ck0DKx2GaHm4p3p7btlny_VxBMTW' },
    'Ed25519': { crv: 'Ed25519', d: 'pLcoV3HosHab7U8G59bgRmGfaayKTyjibfiJ8fccIkw', x: '8iqROiYWjC9EeuzFRqByuaZ4OTZ4KfzO9E91JeWt8zo', kty: 'OKP' },
    'X25519': { crv: 'X25519', d: 'GF-y8tHzHmVWumN7R4m-nscx-I_HBblSFIhhCY033H0', x: 'ajBES1dIw8T45Rd7NvGtz2e60Utmn2hpOjUYO6FD8RM', kty: 'OKP' },
};
export const made = {
    'pss': 'qsW2PYe5KJTu9dDC3JEtkIQYegyfI38FYlOkh_D5p8Cb1tcDLw_ZuUfQAotIpfvBwfQf4_E9mPvv7poFhYL5V3o699kYoyjzhDldmSSx6UOlOtoK_0p0KdFEbgD0oruatyeVApMv_EQwRwfV5G_xAMcYZuVgNNFVcZ1Jgl3y5Fc',
    'oaep': 'FdVE3bv-mC9lLz5yK3jb-dtRJF0bEchbZYxMPFRQ9YDAJBipzwXGIPrIaPfBYQEFwU8qgUU3dprM9FagQdzAFFr9hrGldLAaINssfI5i4vmx5ODpU8BxKYf6HCOHExgXSHe8Kih4gXeGqo4iXyFnVnSZ1YfhqnryA-Ygsn_Uzc8',
    'P-256': '2Ckl8Ij_dQI4PSFDDrrgggPhFS0tcI68Pw3CQiuxqTII_RGpk5YJ0nZitjtyvJuAfg5YXeYhCNjNYUCrglyodA',
    'P-384': 'GfQXLzAMkY-NM3tr_8rfZC2Q2vjLj07ZYAQEK1tzb6_2b4Z7mKugZLKuJ8hhb9_roa8jxSmR-oizwVD-pe2YbQM60BYJNspVGB20QtwxCvT3ZEIeKW1PIBsjP11Dnkt1',
    'P-521': 'AT4m4u9AE3fBGYmmSbQo6mh4COu2i0vX8s4s-21rhswwLLP9riKdY1bzZ8I5lCdHsIY4dAJFsP29Ql6MUPp_H9sSAfz0TDjj6CLYPBShz3hwLVV5rp2WyVIgeLtCgHgIdOOL4Tpe62_6hdvOJxDjYuCyw5kOYlTsOIrpiym_PWQZwQF_',
};
