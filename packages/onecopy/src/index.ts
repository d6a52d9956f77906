export * from '@onecopy/runtime';
